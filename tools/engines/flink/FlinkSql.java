import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Flink SQL in this process, in batch mode, on a small cluster of its own. Arguments: settings as name=value. */
final class FlinkSql {
  public static void main(String[] settings) throws Exception {
    StatementLoop.printLibrariesToStandardError();
    Configuration configuration = new Configuration();
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      configuration.setString(setting.substring(0, equals), setting.substring(equals + 1));
    }
    TableEnvironment session =
        TableEnvironment.create(
            EnvironmentSettings.newInstance().inBatchMode().withConfiguration(configuration).build());
    StatementLoop.serve(statement -> rows(session.executeSql(statement)));
  }

  private static String rows(TableResult result) throws Exception {
    List<String> rows = new ArrayList<>();
    try (CloseableIterator<Row> found = result.collect()) {
      while (found.hasNext()) rows.add(JsonText.array(values(found.next()).iterator()));
    }
    return JsonText.array(rows.iterator());
  }

  private static List<String> values(Row row) {
    return IntStream.range(0, row.getArity()).mapToObj(i -> value(row.getField(i))).toList();
  }

  /** Flink's arrays are Java's, of objects or of primitives. */
  private static String value(Object value) {
    if (value instanceof Row struct) return JsonText.object(List.copyOf(struct.getFieldNames(true)), values(struct));
    if (value instanceof Map<?, ?> map)
      return JsonText.array(
          map.entrySet().stream().map(one -> "[" + value(one.getKey()) + "," + value(one.getValue()) + "]").iterator());
    if (value != null && value.getClass().isArray() && !(value instanceof byte[]))
      return JsonText.array(
          IntStream.range(0, Array.getLength(value)).mapToObj(i -> value(Array.get(value, i))).iterator());
    return JsonText.of(value);
  }

  private FlinkSql() {}
}
