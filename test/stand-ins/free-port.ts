import { type AddressInfo, createServer } from 'node:net';

/** A TCP port of the loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
