import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Values as JSON that loses nothing: whole numbers, decimals, dates (2026-01-31) and times (six digits of seconds, Z for
 * instants) are strings, floats are numbers or "NaN", "Infinity", "-Infinity", bytes are hexadecimal, a map is an array
 * of pairs, a struct an object.
 */
final class JsonText {
  private static final DateTimeFormatter MICROSECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS");

  static String of(Object value) {
    if (value == null) return "null";
    if (value instanceof Boolean) return value.toString();
    if (value instanceof Float || value instanceof Double) {
      double number = ((Number) value).doubleValue();
      boolean finite = !Double.isNaN(number) && !Double.isInfinite(number);
      return finite ? value.toString() : quoted(value.toString());
    }
    if (value instanceof BigDecimal decimal) return quoted(decimal.toPlainString());
    if (value instanceof LocalDate || value instanceof Number) return quoted(value.toString());
    if (value instanceof LocalDateTime time) return quoted(MICROSECONDS.format(time));
    if (value instanceof Instant instant)
      return quoted(MICROSECONDS.format(LocalDateTime.ofInstant(instant, ZoneOffset.UTC)) + "Z");
    if (value instanceof byte[] bytes) return quoted(HexFormat.of().formatHex(bytes));
    if (value instanceof List<?> list) return array(list.stream().map(JsonText::of).iterator());
    if (value instanceof Map<?, ?> map)
      return array(map.entrySet().stream().map(one -> "[" + of(one.getKey()) + "," + of(one.getValue()) + "]").iterator());
    return quoted(value.toString());
  }

  static String object(List<String> names, List<String> values) {
    StringBuilder text = new StringBuilder("{");
    for (int i = 0; i < names.size(); i++)
      text.append(i == 0 ? "" : ",").append(quoted(names.get(i))).append(':').append(values.get(i));
    return text.append('}').toString();
  }

  static String array(Iterator<String> parts) {
    StringBuilder text = new StringBuilder("[");
    for (boolean first = true; parts.hasNext(); first = false) text.append(first ? "" : ",").append(parts.next());
    return text.append(']').toString();
  }

  static String quoted(String value) {
    StringBuilder text = new StringBuilder("\"");
    for (int i = 0; i < value.length(); i++) {
      char character = value.charAt(i);
      boolean plain = character >= ' ' && character != '"' && character != '\\' && character < 0x7f;
      text.append(plain ? String.valueOf(character) : String.format("\\u%04x", (int) character));
    }
    return text.append('"').toString();
  }

  private JsonText() {}
}
