/** The two networks that need nothing built: the host's own, and none but a loopback. */
import { createHash } from 'node:crypto';
import type { Operation } from '../libcontainer/program.ts';
import type { Endpoint, NetworkDriver, NetworkPlan } from './driver.ts';

/** `--network host`: the container stays in the host's network namespace. */
export class HostNetwork implements NetworkDriver {
  readonly name = 'host';
  readonly id = networkID('host');

  async join(container: string): Promise<NetworkPlan> {
    return { newNamespace: false, operations: [], endpoints: this.endpoints(container) };
  }

  endpoints(container: string): NetworkPlan['endpoints'] {
    return { host: endpoint(this.name, container) };
  }

  async leave(): Promise<void> {}
}

/** `--network none`: a network namespace with nothing in it but `lo`, which is up. */
export class NoneNetwork implements NetworkDriver {
  readonly name = 'none';
  readonly id = networkID('none');

  async join(container: string): Promise<NetworkPlan> {
    return { newNamespace: true, operations: [await loopbackUp()], endpoints: this.endpoints(container) };
  }

  endpoints(container: string): NetworkPlan['endpoints'] {
    return { none: endpoint(this.name, container) };
  }

  async leave(): Promise<void> {}
}

/** linux/netlink.h, linux/rtnetlink.h */
const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
/** In every network namespace the loopback is the first link. */
const LOOPBACK = 1;

/**
 * `ip link set lo up`: struct nlmsghdr and struct ifinfomsg, nothing more (rtnetlink(7)). The codecs are loaded when a
 * first container wants them: a daemon that starts has no use for them.
 */
async function loopbackUp(): Promise<Operation> {
  const { formatLink } = await import('netlink/dist/rt/gen_structs.js');
  const { formatMessage } = await import('netlink/dist/structs.js');
  const data = formatLink({ index: LOOPBACK, flags: { up: true }, change: { up: true } });
  const header = { type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK, seq: 1, port: 0 };
  const messages = Buffer.concat(formatMessage({ ...header, data }));
  return { op: 'netlink', owner: 'network/none', protocol: NETLINK_ROUTE, messages, flags: 0 };
}

/** What inspect shows. Neither network gives an address. */
function endpoint(network: string, container: string): Endpoint {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: '',
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: networkID(network),
    EndpointID: digest(`endpoint ${network} ${container}`),
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

/** Networks that are always there have an id that is always the same. */
function networkID(name: string): string {
  return digest(`network ${name}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
