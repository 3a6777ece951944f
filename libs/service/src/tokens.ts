/** Injection tokens that every module of a service can use, by explicit `@Inject(LOGGER)`. */
export const LOGGER = Symbol("firn logger");
export const METRICS = Symbol("firn metrics");
export const HEALTH = Symbol("firn health");
