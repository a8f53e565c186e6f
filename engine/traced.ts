import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { CHANNEL, type DriverCall } from '../api/trace.ts';

const trace = channel(CHANNEL.driver);

/**
 * The same driver, each call of which is told on `gantry:driver` once it is back. While nobody listens a call costs one
 * more step. `name` as in `graph/overlay2`.
 */
export function traced<Driver extends object>(name: string, driver: Driver): Driver {
  const told = new Map<PropertyKey, unknown>();
  return new Proxy(driver, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (!told.has(key)) told.set(key, tellingOf(name, String(key), value.bind(target)));
      return told.get(key);
    },
  });
}

function tellingOf(driver: string, method: string, call: (...args: unknown[]) => unknown) {
  return (...args: unknown[]): unknown => {
    if (!trace.hasSubscribers) return call(...args);
    const startedAt = performance.now();
    const tell = (error: string | null) => trace.publish(messageOf(driver, method, startedAt, error));
    try {
      const result = call(...args);
      if (result instanceof Promise) {
        result.then(
          () => tell(null),
          (error: unknown) => tell(String(error)),
        );
      } else tell(null);
      return result;
    } catch (error) {
      tell(String(error));
      throw error;
    }
  };
}

function messageOf(driver: string, method: string, startedAt: number, error: string | null): DriverCall {
  const ns = Math.round((performance.now() - startedAt) * 1e6);
  return { kind: 'driver', driver, method, at: performance.timeOrigin + startedAt, ns, error };
}
