declare const FIRN_VERSION: string | undefined;

/** The version of the root package.json; the bundler puts it in. Sources run unbundled say so. */
export const version: string = typeof FIRN_VERSION === "string" ? FIRN_VERSION : "0.0.0-source";
