/**
 * fetch for scripts that run other programs and wait for them: the server may have closed a connection that is kept
 * meanwhile, which says nothing about the lake. A request that fails so was not read.
 */
export async function ask(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    return fetch(url, options);
  }
}
