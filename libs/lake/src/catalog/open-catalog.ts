import type { RestAuth } from "./rest-auth.ts";
import { RestCatalog } from "./rest-catalog.ts";
import type { VendedCredentials } from "./vended-credentials.ts";

/** How a lake's catalog is reached; the same names as the services' settings. */
export interface CatalogAddress {
  /** Iceberg REST catalog, without `/v1`. */
  readonly catalogUri: string;
  /** Name of the warehouse, where the catalog has several. */
  readonly catalogWarehouse?: string | undefined;
  readonly catalogPrefix?: string | undefined;
  /** A bearer token that stays. */
  readonly catalogToken?: string | undefined;
  /** `ID:SECRET`: tokens are asked for and renewed. Comes before `catalogToken`. */
  readonly catalogCredential?: string | undefined;
  readonly catalogScope?: string | undefined;
  readonly catalogAudience?: string | undefined;
  readonly catalogTokenUri?: string | undefined;
  readonly catalogAccessDelegation?: "none" | "vended-credentials" | undefined;
}

/** The catalog by its address. Nothing is asked of it yet. */
export function openCatalog(address: CatalogAddress, vended?: VendedCredentials): RestCatalog {
  const { catalogUri, catalogWarehouse, catalogPrefix, catalogAccessDelegation } = address;
  return new RestCatalog({
    uri: catalogUri,
    auth: authOf(address),
    ...(catalogWarehouse === undefined ? {} : { warehouse: catalogWarehouse }),
    ...(catalogPrefix === undefined ? {} : { prefix: catalogPrefix }),
    ...(catalogAccessDelegation === "vended-credentials" ? { accessDelegation: catalogAccessDelegation } : {}),
    ...(vended === undefined ? {} : { vended }),
  });
}

function authOf(address: CatalogAddress): RestAuth {
  const { catalogCredential, catalogToken, catalogScope, catalogAudience, catalogTokenUri } = address;
  if (catalogCredential !== undefined) {
    const colon = catalogCredential.indexOf(":");
    return {
      kind: "client-credentials",
      clientId: catalogCredential.slice(0, colon),
      clientSecret: catalogCredential.slice(colon + 1),
      ...(catalogScope === undefined ? {} : { scope: catalogScope }),
      ...(catalogAudience === undefined ? {} : { audience: catalogAudience }),
      ...(catalogTokenUri === undefined ? {} : { tokenUri: catalogTokenUri }),
    };
  }
  return catalogToken === undefined ? { kind: "none" } : { kind: "token", token: catalogToken };
}
