import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.BaseTable;
import org.apache.iceberg.Schema;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.jdbc.JdbcCatalog;
import org.apache.iceberg.types.Types;
import org.apache.iceberg.util.SnapshotUtil;

/**
 * Java's JdbcCatalog on the database of Firn's catalog: reads what is there, changes it and adds to it.
 * Arguments: JDBC address, user, password, catalog name, warehouse. Output: one line an entry, `kind<TAB>name<TAB>detail`.
 */
public class SqlCatalog {
  public static void main(String[] args) {
    Map<String, String> properties = new HashMap<>();
    properties.put("uri", args[0]);
    if (!args[1].isEmpty()) properties.put("jdbc.user", args[1]);
    if (!args[2].isEmpty()) properties.put("jdbc.password", args[2]);
    properties.put("warehouse", args[4]);
    properties.put("jdbc.schema-version", "V1");
    JdbcCatalog catalog = new JdbcCatalog();
    catalog.setConf(new Configuration());
    catalog.initialize(args[3], properties);
    read(catalog, Namespace.empty());

    var shared = catalog.loadTable(TableIdentifier.of("ns", "shared"));
    shared.updateProperties().set("java", "was here").commit();
    catalog.createNamespace(Namespace.of("made_by_java"), Map.of("owner", "java"));
    Schema schema = new Schema(Types.NestedField.optional(1, "n", Types.LongType.get()));
    catalog.createTable(TableIdentifier.of("made_by_java", "t"), schema);
    catalog
        .buildView(TableIdentifier.of("made_by_java", "v"))
        .withSchema(schema)
        .withDefaultNamespace(Namespace.of("made_by_java"))
        .withQuery("spark", "select n from t")
        .create();
    print("done", "", "");
  }

  private static void read(JdbcCatalog catalog, Namespace parent) {
    for (Namespace namespace : catalog.listNamespaces(parent)) {
      print("namespace", namespace.toString(), catalog.loadNamespaceMetadata(namespace).toString());
      for (TableIdentifier name : catalog.listTables(namespace)) {
        BaseTable table = (BaseTable) catalog.loadTable(name);
        int snapshots = table.currentSnapshot() == null ? 0 : SnapshotUtil.currentAncestorIds(table).size();
        String at = table.operations().current().metadataFileLocation();
        print("table", name.toString(), at + " " + snapshots + " " + table.schema().columns().size());
      }
      for (TableIdentifier name : catalog.listViews(namespace)) {
        print("view", name.toString(), catalog.loadView(name).sqlFor("spark").sql());
      }
      read(catalog, namespace);
    }
  }

  private static void print(String kind, String name, String detail) {
    System.out.println(kind + "\t" + name + "\t" + detail);
  }
}
