-- Version 1: JdbcCatalog's V1 and the requests that carried an idempotency key.
CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name));
CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL, property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key));
CREATE TABLE firn_catalog_requests (catalog_name VARCHAR(255) NOT NULL, request_key VARCHAR(36) NOT NULL, fingerprint VARCHAR(64) NOT NULL, applied_at_ms BIGINT NOT NULL, metadata_location VARCHAR(1000), status INTEGER, answer TEXT, PRIMARY KEY (catalog_name, request_key));
CREATE TABLE firn_catalog_layout (version INTEGER NOT NULL);
INSERT INTO firn_catalog_layout VALUES (1);
INSERT INTO iceberg_namespace_properties VALUES ('firn', 'ns', 'exists', 'true');
INSERT INTO iceberg_tables VALUES ('firn', 'ns', 'kept', 'file:///w/ns/kept/metadata/1.metadata.json', NULL, 'TABLE');
INSERT INTO firn_catalog_requests VALUES ('firn', '0198c7a0-0000-7000-8000-000000000001', 'abc', 1763740800000, NULL, 200, '{}');
