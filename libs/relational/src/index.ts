export { answersAt, prepareEmbeddedPostgres } from "./embedded-postgres.ts";
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from "./embedded-postgres.ts";
export { migrateDatabase, NewerSchema, pendingMigrations, unknownMigrations } from "./migrate.ts";
export type { MigrateOptions } from "./migrate.ts";
export { isDatabaseAway, isUniqueViolation, RelationalDatabase } from "./relational-database.ts";
export type { Queryable } from "./relational-database.ts";
export {
  findOrAddSecurities,
  listSecurities,
  securitiesById,
  securitiesByTicker,
  widenDateRanges,
} from "./securities.ts";
export type { DateRange, IsoCode, Security, SecurityFilter } from "./securities.ts";
export {
  addPortfolio,
  listPortfolios,
  metricsOf,
  portfolioById,
  portfolioByName,
  removePortfolio,
} from "./portfolios.ts";
export type { NewPortfolio, Portfolio, PortfolioMetrics } from "./portfolios.ts";
export { listMacroSeries } from "./macro-series.ts";
export type { MacroSeries } from "./macro-series.ts";
export { forgetMirrorChanges, mirrorChannel, nextMirrorChanges } from "./mirror-changes.ts";
export type { MirrorChange } from "./mirror-changes.ts";
