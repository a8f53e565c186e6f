import { InvalidParameter } from '../../api/errors.ts';
import type { ImageRunConfig } from '../../api/image.ts';
import { parseInstant } from '../../api/instant.ts';

type Healthcheck = NonNullable<ImageRunConfig['Healthcheck']>;
const OPTION = /^--(interval|timeout|start-period|start-interval|retries)=(\S+)\s*/;
/** A millisecond, in nanoseconds: dockerd's least. */
const LEAST = 1_000_000;

/** `[--interval=30s …] CMD command`, or `NONE` (Dockerfile reference, HEALTHCHECK). Fails with InvalidParameter. */
export function healthcheckFrom(text: string, command: (rest: string) => string[]): Healthcheck {
  const options = new Map<string, string>();
  let rest = text;
  for (let match = OPTION.exec(rest); match !== null; match = OPTION.exec(rest)) {
    options.set(match[1] ?? '', match[2] ?? '');
    rest = rest.slice(match[0].length);
  }
  return {
    Test: testOf(rest, options.size, command),
    Interval: duration(options, 'interval'),
    Timeout: duration(options, 'timeout'),
    StartPeriod: duration(options, 'start-period'),
    StartInterval: duration(options, 'start-interval'),
    Retries: retries(options.get('retries')),
  };
}

function testOf(text: string, options: number, command: (rest: string) => string[]): string[] {
  const [, type = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(text) ?? [];
  switch (type.toUpperCase()) {
    case '':
      throw new InvalidParameter('HEALTHCHECK requires at least one argument');
    case 'NONE':
      if (rest !== '' || options > 0) throw new InvalidParameter('HEALTHCHECK NONE takes no arguments');
      return ['NONE'];
    case 'CMD': {
      const words = command(rest);
      if (words.length === 0) throw new InvalidParameter('Missing command after HEALTHCHECK CMD');
      return rest.startsWith('[') ? ['CMD', ...words] : ['CMD-SHELL', rest];
    }
    default:
      throw new InvalidParameter(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
}

/** Nanoseconds; 0 where it is not given. */
function duration(options: ReadonlyMap<string, string>, name: string): number {
  const text = options.get(name);
  if (text === undefined) return 0;
  if (!/[a-zµμ]$/.test(text)) throw new InvalidParameter(`time: invalid duration ${JSON.stringify(text)}`);
  const nanos = -Number(parseInstant(text, 0n) ?? 0n);
  if (nanos !== 0 && nanos < LEAST) {
    throw new InvalidParameter(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  }
  return nanos;
}

function retries(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text)) throw new InvalidParameter(`--retries must be at least 0 (not ${text})`);
  return Number(text);
}
