// Certificates for a broker and its clients on this machine, by the JDK's own tool.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const password = "changeit";

/**
 * An authority of its own, a certificate for 127.0.0.1 and one for a client that it has signed.
 * @returns the broker's stores (PKCS12) and their password; the authority's certificate, the client's and its key (PEM)
 */
export function makeCertificates(dir) {
  const [authority, store, client, trust] = ["authority", "broker", "client", "trust"].map((name) =>
    join(dir, `${name}.p12`),
  );
  const [caFile, certFile, keyFile] = ["ca.pem", "client.pem", "client-key.pem"].map((name) => join(dir, name));
  makeKey(authority, "authority", "-ext", "bc:c=ca:true");
  keytool(authority, "-exportcert", "-rfc", "-alias", "authority", "-file", caFile);
  keytool(trust, "-importcert", "-alias", "authority", "-file", caFile);
  for (const [keystore, name, ...extension] of [
    [store, "broker", "-ext", "san=ip:127.0.0.1"],
    [client, "client"],
  ]) {
    const [request, signed] = [join(dir, `${name}.csr`), join(dir, `${name}.pem`)];
    makeKey(keystore, name);
    keytool(keystore, "-certreq", "-alias", name, "-file", request);
    const sign = ["-gencert", "-rfc", "-alias", "authority", "-validity", "30", ...extension];
    keytool(authority, ...sign, "-infile", request, "-outfile", signed);
  }
  keytool(store, "-importcert", "-alias", "authority", "-file", caFile);
  keytool(store, "-importcert", "-alias", "broker", "-file", join(dir, "broker.pem"));
  const key = execFileSync("java", [join(import.meta.dirname, "PrintKey.java"), client, password, "client"]);
  writeFileSync(keyFile, key);
  return { store, trust, password, caFile, certFile, keyFile };
}

function makeKey(keystore, name, ...extension) {
  const kind = ["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-validity", "30"];
  keytool(keystore, ...kind, "-alias", name, "-dname", `CN=${name}`, ...extension);
}

function keytool(keystore, ...args) {
  const of = ["-keystore", keystore, "-storepass", password, "-storetype", "PKCS12", "-noprompt"];
  execFileSync("keytool", [...args, ...of], { stdio: ["ignore", "ignore", "pipe"] });
}
