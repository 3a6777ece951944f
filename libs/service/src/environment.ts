/** Settings without anything of Nest, for commands: `@firn/service/environment`. */
export { explainBrokers, kafkaAccessSettings, kafkaSecurity } from "./kafka-access.ts";
export { lakeAccessSettings } from "./lake-settings.ts";
export { ConfigError, defineSettings, readVariable, type SettingsDefinition } from "./settings.ts";
export { s3SettingsOf } from "./store-settings.ts";
