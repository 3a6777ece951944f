import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends as Java producers do. Lines of standard input: topic, compression, "commit", "abort" or "none", and the value,
 * with tabs between them; lines with the same first three that follow each other are one producer's, one transaction.
 */
public class SendToKafka {
  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    KafkaProducer<String, String> producer = null;
    String[] now = {"", "", ""};
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split("\t", 4);
      boolean same = parts[0].equals(now[0]) && parts[1].equals(now[1]) && parts[2].equals(now[2]);
      if (!same) {
        end(producer, now[2]);
        now = parts;
        producer = begin(args[0], now);
      }
      producer.send(new ProducerRecord<>(parts[0], null, null, parts[3]));
    }
    end(producer, now[2]);
  }

  private static KafkaProducer<String, String> begin(String brokers, String[] how) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("compression.type", how[1]);
    settings.put("linger.ms", "50");
    boolean isTransaction = !how[2].equals("none");
    if (isTransaction) settings.put("transactional.id", "sends-" + how[0]);
    KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    if (isTransaction) {
      producer.initTransactions();
      producer.beginTransaction();
    }
    return producer;
  }

  private static void end(KafkaProducer<String, String> producer, String transaction) {
    if (producer == null) return;
    producer.flush();
    if (transaction.equals("commit")) producer.commitTransaction();
    if (transaction.equals("abort")) producer.abortTransaction();
    producer.close();
  }
}
