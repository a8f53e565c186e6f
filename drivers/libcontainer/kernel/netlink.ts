import { binding } from './binding.ts';
import { checked, checkedBytes, checkedNumber } from './call.ts';
import { close } from './descriptors.ts';

/** One message of an answer: its type, flags and sequence number, and what stands behind the header. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

const HEADER = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** A netlink(7) socket for encoded messages. One caller at a time: answers are told apart by their order alone. */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** `protocol` as NETLINK_ROUTE (0), NETLINK_NETFILTER (12). */
  static open(protocol: number): NetlinkSocket {
    return new NetlinkSocket(
      checkedNumber('socket', ['AF_NETLINK', protocol], binding().sync.netlinkOpen(protocol, -1)),
    );
  }

  /** The same in another network namespace. */
  static async openIn(namespace: number, protocol: number): Promise<NetlinkSocket> {
    const outcome = await binding().pool.netlinkOpen(protocol, namespace);
    return new NetlinkSocket(checkedNumber('socket', [`netns ${namespace}`, 'AF_NETLINK', protocol], outcome));
  }

  /** Sends a batch and waits for every ack and the end of every dump. For what takes microseconds: it holds the loop. */
  talkSync(messages: Uint8Array): NetlinkMessage[] {
    const outcome = binding().sync.netlinkTalk(this.#fd, messages);
    return answersOf(checkedBytes('sendmsg', [`netlink ${this.#fd}`], outcome));
  }

  /** The same on a pool thread, for what may have to wait for the kernel's lock. */
  async talk(messages: Uint8Array): Promise<NetlinkMessage[]> {
    const outcome = await binding().pool.netlinkTalk(this.#fd, messages);
    return answersOf(checkedBytes('sendmsg', [`netlink ${this.#fd}`], outcome));
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

/** What the kernel answered, acks and ends of dumps taken off. Fails with the first errno among them. */
function answersOf(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER) break;
    const type = bytes.readUInt16LE(at + 4);
    const payload = bytes.subarray(at + HEADER, at + length);
    if (type === NLMSG_ERROR || type === NLMSG_DONE) {
      if (payload.length >= 4) checked('netlink', [`message ${bytes.readUInt32LE(at + 8)}`], payload.readInt32LE(0));
    } else {
      messages.push({ type, flags: bytes.readUInt16LE(at + 6), sequence: bytes.readUInt32LE(at + 8), payload });
    }
    at += (length + 3) & ~3;
  }
  return messages;
}
