import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * A session of an engine over standard input and output: each line in is a statement in base64, each line out is one
 * JSON object, {@code {"rows": [[…]]}} or {@code {"error": text}}. Ends with its input. What libraries print goes to
 * standard error.
 */
final class StatementLoop {
  interface Engine {
    /** Runs a statement; its rows as JSON, {@code [[…], …]}. */
    String run(String statement) throws Exception;
  }

  private static final PrintStream ANSWERS =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  static void printLibrariesToStandardError() {
    System.setOut(System.err);
  }

  static void serve(Engine engine) throws Exception {
    ANSWERS.println("{\"rows\":[]}");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String statement = new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8);
      try {
        ANSWERS.println("{\"rows\":" + engine.run(statement) + "}");
      } catch (Throwable failure) {
        ANSWERS.println("{\"error\":" + JsonText.quoted(causes(failure)) + "}");
      }
    }
  }

  /** An engine's own message is often the one of a cause: all of them, the outermost first. */
  private static String causes(Throwable failure) {
    StringBuilder text = new StringBuilder();
    int depth = 0;
    for (Throwable at = failure; at != null && depth < 8; at = at.getCause(), depth++)
      text.append(depth == 0 ? "" : "; caused by ").append(at.getClass().getSimpleName()).append(": ").append(at.getMessage());
    return text.toString();
  }

  private StatementLoop() {}
}
