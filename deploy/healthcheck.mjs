// Exit 0 when the service of this container is ready. FIRN_PORT says where it listens.
const url = `http://127.0.0.1:${process.env.FIRN_PORT}/health/ready`;
const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) }).catch(() => undefined);
process.exitCode = answer?.ok ? 0 : 1;
