/** Injection tokens of the query service. */
export const QUESTION_SERVICE = Symbol("question service");
export const PIPELINE = Symbol("pipeline");
export const REPLY_BYTES_MAX = Symbol("most bytes of a nats reply");
export const LOG = Symbol("log of the nats questions");
