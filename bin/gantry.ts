import { main } from '../client/cli.ts';

/** A reader that has enough (`gantry trace | head`) ends the program, quietly. */
process.stdout.on('error', () => process.exit(0));

const { stdin, stdout, stderr, env } = process;
process.exit(await main(process.argv.slice(2), { stdin, stdout, stderr, env }));
