/** Settings without anything of Nest, for commands: `@firn/service/environment`. */
export { explainBrokers, kafkaAccessSettings, kafkaSecurity } from "./kafka-access.ts";
export { lakeAccessSettings } from "./lake-settings.ts";
export {
  explainPort,
  freePorts,
  parsePorts,
  PortError,
  portVariable,
  requireFree,
  type PortName,
  type Ports,
} from "./ports.ts";
export { ConfigError, defineSettings, readVariable, type SettingsDefinition } from "./settings.ts";
export { s3SettingsOf } from "./store-settings.ts";
