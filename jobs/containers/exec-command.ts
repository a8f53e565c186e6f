import type { ExecConfig } from '../../api/container.ts';

/** An exec's command as events show it. Docker has a blank also behind a program without arguments. */
export function execCommand({ Cmd }: Pick<ExecConfig, 'Cmd'>): string {
  const [program = '', ...rest] = Cmd ?? [];
  return `${program} ${rest.join(' ')}`;
}
