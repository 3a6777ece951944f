// Choices that no values file makes: the chart renders them to valid objects, or refuses them and says why.

/** Name → values, as `--set` takes them. */
export const VARIANTS = {
  "a catalog outside":
    "catalog.enabled=false,externalCatalog.uri=https://catalog.example/iceberg,externalCatalog.warehouse=w,secrets.catalogToken.name=c",
  "SQLite for the catalog": "postgresql.enabled=false",
  "NATS outside": "nats.enabled=false,nats.url=tls://nats.example:4222",
  // "no" is a boolean in YAML 1.1.
  "NATS by a Secret": "nats.enabled=false,secrets.nats.name=no",
  "Kafka by SASL":
    "kafka.brokers=k:9092,kafka.saslMechanism=plain,kafka.saslUsername=u,secrets.kafka.name=y,kafka.tls=true,kafka.schemaRegistryUrl=http://r/x",
  traces: "tracing.otlpEndpoint=http://collector:4318",
  "an image by digest": `image.digest=sha256:${"a".repeat(64)},image.pullSecrets[0]=pull`,
  "a stage placed":
    "ingest.nodeSelector.a=b,ingest.tolerations[0].key=x,ingest.priorityClassName=p,ingest.podLabels.z=w",
  "a variable more": "query.extraEnv[0].name=FIRN_QUERY_CONCURRENCY,query.extraEnv[0].value=eight",
  "a job of one more lake":
    "jobs.tides.enabled=true,jobs.tides.schedule=0 1 * * *,jobs.tides.args={rebuild,tides},jobs.tides.lake=tides,jobs.tides.suspend=false,lakeJobs.tides.enabled=true",
  "almost nothing":
    "query.enabled=false,lakeJobs.health.enabled=false,lakeJobs.sales.enabled=false,setup.enabled=false,tokens.create=false,serviceAccount.create=false",
};

/** Name → values and what the refusal says. */
export const REFUSED = {
  "an unknown key": ["ingset.replicas=2", "ingset"],
  "a negative number of replicas": ["ingest.replicas=-1", "ingest/replicas"],
  "a catalog nowhere": ["catalog.enabled=false", "externalCatalog.uri is needed"],
  "NATS nowhere": ["nats.enabled=false", "nats.url or secrets.nats.name is needed"],
  "several catalogs on SQLite": ["postgresql.enabled=false,catalog.replicas=2", "several catalogs need a PostgreSQL"],
};
