"""Makes libs/lake/test/golden/spark: small Iceberg tables as Spark writes them, and what Spark reads from them.

Not part of any test run: python3 with pyspark 4.1.4, and JARS naming a folder with iceberg-spark-runtime-4.1_2.13
1.11.0. Usage: JARS=… make-golden-tables.py OUT. Locations in the tables begin with file:/golden, where the script
makes its warehouse; the tests look there for nothing, they map it to their own folder.
"""
import glob, json, os, re, shutil, sys

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
from pyspark.sql import SparkSession

WAREHOUSE = "/golden"
out = os.path.abspath(sys.argv[1])
shutil.rmtree(WAREHOUSE, ignore_errors=True)
settings = {
    "spark.driver.memory": "1g", "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "1", "spark.sql.session.timeZone": "UTC",
    "spark.driver.extraClassPath": os.environ["JARS"] + "/*",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "hadoop", "spark.sql.catalog.lake.warehouse": f"file:{WAREHOUSE}",
}
builder = SparkSession.builder.master("local[1]")
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
sql, jvm = spark.sql, spark._jvm
MERGE_ON_READ = "'write.delete.mode'='merge-on-read','write.update.mode'='merge-on-read','write.merge.mode'='merge-on-read'"


def table(name):
    return jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, f"lake.db.{name}")


def create(name, columns, version, properties="'write.parquet.compression-codec'='zstd'", partition=""):
    sql(f"CREATE TABLE lake.db.{name} ({columns}) USING iceberg {partition} TBLPROPERTIES ('format-version'='{version}', {properties})")


def vectors():
    create("vectors", "id BIGINT, v STRING", 3, MERGE_ON_READ)
    sql("INSERT INTO lake.db.vectors SELECT id, CONCAT('v', id) FROM RANGE(0, 3000, 1, 2)")
    sql("DELETE FROM lake.db.vectors WHERE id % 7 = 0")
    sql("DELETE FROM lake.db.vectors WHERE id BETWEEN 500 AND 900")
    sql("UPDATE lake.db.vectors SET v = 'changed' WHERE id = 11")


def defaults():
    create("defaults", "id BIGINT, s STRUCT<a: INT>", 3)
    sql("INSERT INTO lake.db.defaults VALUES (1, named_struct('a', 1))")
    types, literal = jvm.org.apache.iceberg.types.Types, jvm.org.apache.iceberg.expressions.Expressions
    days = jvm.org.apache.iceberg.expressions.Literal.of("2026-01-02").to(types.DateType.get())
    (table("defaults").updateSchema()
        .addColumn("n", types.IntegerType.get(), literal.lit(7))
        .addColumn("t", types.StringType.get(), literal.lit("it's"))
        .addColumn("d", types.DateType.get(), days)
        .addColumn("s", "b", types.StringType.get(), "", literal.lit("inner")).commit())
    sql("REFRESH TABLE lake.db.defaults")
    sql("INSERT INTO lake.db.defaults VALUES (2, named_struct('a', 2, 'b', 'own'), NULL, 'x', DATE'2000-01-01')")


def evolved():
    create("evolved", "id INT, s STRUCT<x: INT, y: STRING>, l ARRAY<STRUCT<p: INT>>, m MAP<STRING, STRUCT<z: INT>>, gone STRING, at TIMESTAMP, f FLOAT, c DECIMAL(5,2)", 2,
           "'write.metadata.compression-codec'='gzip'", "PARTITIONED BY (days(at))")
    row = "({0}, named_struct('x', {0}, 'y', 'y{0}'), array(named_struct('p', {0})), map('k', named_struct('z', {0})), 'gone', TIMESTAMP'1969-12-31 23:59:59.999999', 0.5, 1.25)"
    sql("INSERT INTO lake.db.evolved VALUES " + ",".join(row.format(n) for n in range(3)))
    sql("ALTER TABLE lake.db.evolved CREATE TAG first")
    for change in ["ALTER COLUMN id TYPE BIGINT", "ALTER COLUMN s.x TYPE BIGINT", "ALTER COLUMN f TYPE DOUBLE", "ALTER COLUMN c TYPE DECIMAL(12,2)",
                   "RENAME COLUMN s.x TO tmp", "RENAME COLUMN s.y TO x", "RENAME COLUMN s.tmp TO y", "RENAME COLUMN l.element.p TO q",
                   "RENAME COLUMN m.value.z TO w", "DROP COLUMN gone", "ADD COLUMN gone INT", "ADD COLUMN s.new STRING AFTER x",
                   "ALTER COLUMN gone FIRST", "REPLACE PARTITION FIELD days(at) WITH months(at)", "ADD PARTITION FIELD bucket(4, id)"]:
        sql(f"ALTER TABLE lake.db.evolved {change}")
    sql("ALTER TABLE lake.db.evolved WRITE ORDERED BY id")
    sql("""INSERT INTO lake.db.evolved VALUES (5, 9000000000, named_struct('y', 8000000000, 'x', 'text', 'new', 'n'),
           array(named_struct('q', 5)), map('k', named_struct('w', 5)), TIMESTAMP'2026-02-28 12:00:00.000001', 1e300, 1234567890.12)""")
    sql("ALTER TABLE lake.db.evolved CREATE BRANCH audit")
    sql("INSERT INTO lake.db.evolved.branch_audit SELECT 6, id + 1, s, l, m, at, f, c FROM lake.db.evolved WHERE id > 100")


def version1():
    create("version1", "id BIGINT, p STRING", 1, "'write.delete.mode'='copy-on-write'", "PARTITIONED BY (p)")
    sql("INSERT INTO lake.db.version1 SELECT id, IF(id % 3 = 0, NULL, CONCAT('p', id % 3)) FROM RANGE(30)")
    sql("DELETE FROM lake.db.version1 WHERE id IN (3, 4)")


def mapped():
    plain = f"{WAREHOUSE}/plain"
    spark.range(5).selectExpr("id", "named_struct('a', id) AS s", "array(id) AS l", "map('k', id) AS m").coalesce(1).write.parquet(plain)
    create("mapped", "id BIGINT, s STRUCT<a: BIGINT>, l ARRAY<BIGINT>, m MAP<STRING, BIGINT>", 2)
    sql(f"CALL lake.system.add_files(table => 'db.mapped', source_table => '`parquet`.`file:{plain}`')")
    sql("ALTER TABLE lake.db.mapped RENAME COLUMN s.a TO b")
    sql("INSERT INTO lake.db.mapped VALUES (5, named_struct('b', 5), array(5), map('k', 5))")


def equality():
    create("equality", "id INT, p STRING, v STRING", 2, "'write.upsert.enabled'='true'", "PARTITIONED BY (p)")
    sql("INSERT INTO lake.db.equality SELECT INT(id), CONCAT('p', id % 2), 'first' FROM RANGE(200)")
    for n, keys in enumerate([range(0, 50), range(40, 60), range(0, 10)]):
        delete_keys(n, keys)
        sql(f"INSERT INTO lake.db.equality SELECT INT(id), CONCAT('p', id % 2), 'again{n}' FROM RANGE({keys[0]}, {keys[0] + 5})")


def delete_keys(n, keys):
    """Equality deletes by Java's generic writer, as Flink writes them: one file a partition."""
    iceberg, data = jvm.org.apache.iceberg, jvm.org.apache.iceberg.data
    t = table("equality")
    schema = t.schema().select(["id"])
    ids = spark._sc._gateway.new_array(jvm.int, 1)
    ids[0] = schema.findField("id").fieldId()
    row = t.newRowDelta()
    for p in ("p0", "p1"):
        partition = iceberg.PartitionData(t.spec().partitionType())
        partition.set(0, p)
        path = f"{t.location()}/data/p={p}/deletes-{n}.parquet"
        plain = t.io().newOutputFile(path)
        file = iceberg.encryption.EncryptedFiles.plainAsEncryptedOutput(plain)
        factory = data.GenericAppenderFactory(t.schema(), t.spec(), ids, schema, None)
        writer = factory.newEqDeleteWriter(file, iceberg.FileFormat.PARQUET, partition)
        for key in keys:
            if f"p{key % 2}" == p:
                record = data.GenericRecord.create(schema)
                record.setField("id", key)
                writer.write(record)
        writer.close()
        row = row.addDeletes(writer.toDeleteFile())
    row.commit()
    sql("REFRESH TABLE lake.db.equality")


def rows(query):
    return [json.loads(line) for line in sql(f"{query} ORDER BY id").toJSON().collect()]


expected, failed = {}, {}
for make in [vectors, defaults, evolved, version1, mapped, equality]:
    name = make.__name__
    try:
        make()
        expected[name] = {"current": rows(f"SELECT * FROM lake.db.{name}")}
    except Exception as error:  # said at the end, so that one table does not hide the others
        failed[name] = str(error)[:1500]
if "evolved" in expected:
    expected["evolved"]["tag first"] = rows("SELECT * FROM lake.db.evolved VERSION AS OF 'first'")
    expected["evolved"]["branch audit"] = rows("SELECT * FROM lake.db.evolved.branch_audit")
shutil.rmtree(out, ignore_errors=True)
shutil.copytree(WAREHOUSE, out, ignore=shutil.ignore_patterns(".*.crc", "_SUCCESS", "version-hint.text"))
for folder in glob.glob(f"{out}/db/*/metadata"):
    versions = glob.glob(f"{folder}/v*.metadata.json")
    for old in sorted(versions, key=lambda name: int(re.search(r"/v(\d+)\.", name)[1]))[:-1]:
        os.remove(old)
with open(f"{out}/expected.json", "w") as file:
    lines = {t: {r: [json.dumps(row, ensure_ascii=False) for row in rows] for r, rows in reads.items()} for t, reads in expected.items()}
    json.dump(lines, file, indent=1, ensure_ascii=False)
print(failed or "all made")
