-- JdbcCatalog's schema version V0, as Apache's catalogs before 1.5 made it: no type of an entry, no views.
CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), PRIMARY KEY (catalog_name, table_namespace, table_name));
CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL, property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key));
INSERT INTO iceberg_namespace_properties VALUES ('firn', 'ns', 'exists', 'true');
INSERT INTO iceberg_tables VALUES ('firn', 'ns', 'kept', 'file:///w/ns/kept/metadata/1.metadata.json', NULL);
