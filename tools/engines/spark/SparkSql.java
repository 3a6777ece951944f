import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/** Spark SQL in this process. Arguments: settings as name=value. */
final class SparkSql {
  public static void main(String[] settings) throws Exception {
    StatementLoop.printLibrariesToStandardError();
    SparkSession.Builder builder = SparkSession.builder().master("local[2]").appName("firn");
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      builder = builder.config(setting.substring(0, equals), setting.substring(equals + 1));
    }
    try (SparkSession session = builder.getOrCreate()) {
      session.sparkContext().setLogLevel("ERROR");
      StatementLoop.serve(statement -> rows(session.sql(statement).collectAsList()));
    }
  }

  private static String rows(List<Row> rows) {
    return JsonText.array(rows.stream().map(row -> JsonText.array(values(row).iterator())).iterator());
  }

  private static List<String> values(Row row) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < row.length(); i++) values.add(value(row.get(i)));
    return values;
  }

  /** Scala's collections are not Java's. */
  private static String value(Object value) {
    if (value instanceof Row struct) return JsonText.object(Arrays.asList(struct.schema().fieldNames()), values(struct));
    if (value instanceof scala.collection.Map<?, ?> map)
      return JsonText.array(
          CollectionConverters.asJava(map).entrySet().stream()
              .map(one -> "[" + value(one.getKey()) + "," + value(one.getValue()) + "]")
              .iterator());
    if (value instanceof scala.collection.Seq<?> list)
      return JsonText.array(CollectionConverters.asJava(list).stream().map(SparkSql::value).iterator());
    return JsonText.of(value);
  }

  private SparkSql() {}
}
