/** Set by the bundler to the version of the root package.json. */
declare const FIRN_VERSION: string | undefined;

export const version: string = typeof FIRN_VERSION === "string" ? FIRN_VERSION : "development";
