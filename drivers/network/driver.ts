import type { Operation } from '../libcontainer/program.ts';

/** One place on one network, as the wire has it (Docker Engine API, `EndpointSettings`). */
export type Endpoint = Readonly<Record<string, unknown>> & { readonly NetworkID: string; readonly EndpointID: string };

/** A container's place on the networks: what the kernel program is to do for it. */
export interface NetworkPlan {
  /** Give the container a network namespace of its own; false: the host's. */
  readonly newNamespace: boolean;
  /** Run in the container's network namespace, before its mounts. */
  readonly operations: readonly Operation[];
  /** `NetworkSettings.Networks` of inspect: network name → endpoint as the wire has it. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
}

/** A network driver gives a container its network as operations. Later ones also hold addresses and published ports. */
export interface NetworkDriver {
  readonly name: string;
  /** 64 hex digits, the same at every start. */
  readonly id: string;
  join(container: string): Promise<NetworkPlan>;
  /** `NetworkSettings.Networks` of inspect for a container that has joined. */
  endpoints(container: string): NetworkPlan['endpoints'];
  leave(container: string): Promise<void>;
}
