import java.io.FileInputStream;
import java.security.KeyStore;
import java.util.Base64;

/** Prints a private key of a PKCS12 store as PEM, which keytool does not. Arguments: the store, its password, an alias. */
public class PrintKey {
  public static void main(String[] args) throws Exception {
    char[] password = args[1].toCharArray();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (FileInputStream file = new FileInputStream(args[0])) {
      store.load(file, password);
    }
    byte[] key = store.getKey(args[2], password).getEncoded();
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key);
    System.out.println("-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----");
  }
}
