/** Settings without anything of Nest, for commands: `@firn/service/environment`. */
export { lakeAccessSettings } from "./lake-settings.ts";
export { ConfigError, defineSettings } from "./settings.ts";
export { s3SettingsOf } from "./store-settings.ts";
