/** Limits of one request; the OpenAPI document and docs/architecture.md name them. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
export const RECORDS_PER_PAYLOAD_MAX = 10_000;
/** Deeper nesting than any dataset has, and far from what endangers a parser. */
export const NESTING_DEPTH_MAX = 64;
/** A gzip of stored blocks is a little longer than what it holds. */
export const PACKED_BYTES_MAX = BODY_BYTES_MAX + 64 * 1024;
/** Problems that one answer names; the rest show when these are mended. */
export const PROBLEMS_NAMED_MAX = 20;
