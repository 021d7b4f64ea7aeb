package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Feature;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.stream.Stream;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/**
 * TLS on the only channel, to a destination and to a source of ours: what the JDK's TLS says at the
 * other end is changed on its way, or it shows a changed certificate. "Past header" is that the
 * handshake was done; what a destination gets then is a genuine stream.
 */
final class TlsFormat extends Format {
    private static final String CHANNEL = "memory-tls";
    private static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");
    private static final int FLIGHTS = 3;
    private static final int LONGEST_CHAIN = 300; // certificates

    private final Path folder;
    private final byte[] stream;
    private final MemoryChannels channel =
            new MemoryChannels(CHANNEL, Feature.TLS, Feature.RETURN_PATH);
    private final Engine engine = new Engine(Plugins.discover().plus(channel));
    private final List<byte[]> flights = new ArrayList<>(); // genuine, and what is no TLS
    private TlsPeers peers;

    /**
     * Over TLS.
     *
     * @param folder for certificates
     * @param stream a genuine one
     */
    TlsFormat(String name, int share, Path folder, byte[] stream) {
        super(name, share);
        this.folder = folder.resolve("tls");
        this.stream = stream;
    }

    /** One handshake: with which of our sides, and how. */
    private record Way(boolean toServer, String protocol, Settings settings) {
        static Way any(SplittableRandom random) {
            boolean toServer = random.nextBoolean();
            Settings settings = Settings.NONE;
            if (random.nextInt(3) == 0) settings = settings.parameter("tls-verify-peer", "off");
            if (toServer && random.nextInt(3) == 0) {
                settings = settings.parameter("tls-authz", TestCertificates.CLIENT);
            }
            if (toServer && random.nextBoolean()) settings = settings.capability("return-path");
            return new Way(toServer, one(random, PROTOCOLS), settings);
        }
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        make();
        Way way = Way.any(random);
        X509Certificate own = peers.certificate(!way.toServer);
        X509Certificate[] chain = {own};
        int change = random.nextInt(16);
        if (change < 4) chain = forged(random, own);
        SSLEngine end = peers.engine(!way.toServer, way.protocol, chain);
        if (random.nextInt(8) == 0) wantAnotherGroup(end);
        int asks = change == 4 ? 1 << random.nextInt(14) : 0;
        int changed = change > 4 ? random.nextInt(FLIGHTS) : FLIGHTS;
        SplittableRandom its = random.split();
        Throwable why =
                attempt(
                        way,
                        end,
                        asks,
                        (number, flight) -> number == changed ? changed(its, flight) : flight,
                        trial);
        if (why == null) trial.accepted();
        else trial.failed(why);
    }

    /** A server that takes none of the keys that a client begins with, and has it begin again. */
    private static void wantAnotherGroup(SSLEngine end) {
        SSLParameters parameters = end.getSSLParameters();
        parameters.setNamedGroups(new String[] {"secp521r1"});
        end.setSSLParameters(parameters);
    }

    private static X509Certificate[] forged(SplittableRandom random, X509Certificate genuine)
            throws GeneralSecurityException {
        byte[] der = genuine.getEncoded();
        Structure structure = TlsStructure.der(der);
        X509Certificate forged =
                new ForgedCertificate(
                        genuine, new Mutator(random).change(der, structure, der, structure));
        return switch (random.nextInt(8)) {
            case 0 -> new X509Certificate[] {genuine, forged};
            case 1 -> {
                X509Certificate[] chain = new X509Certificate[1 + random.nextInt(LONGEST_CHAIN)];
                Arrays.fill(chain, forged);
                chain[0] = genuine;
                yield chain;
            }
            default -> new X509Certificate[] {forged};
        };
    }

    private byte[] changed(SplittableRandom random, byte[] flight) {
        byte[] other = one(random, flights);
        return switch (random.nextInt(10)) {
            case 0 -> fragments(flight, 1 + random.nextInt(200));
            case 1 -> joined(other, flight);
            case 2 -> joined(flight, other);
            case 3 -> other;
            default ->
                    new Mutator(random)
                            .change(flight, TlsStructure.of(flight), other, TlsStructure.of(other));
        };
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** The same messages in more records; those that are encrypted can't be read any more. */
    private static byte[] fragments(byte[] flight, int most) {
        ByteArrayOutputStream cut = new ByteArrayOutputStream();
        for (Structure.Piece record : TlsStructure.records(flight)) {
            for (int at = record.from() + 5; at < record.to(); at += most) {
                int length = Math.min(most, record.to() - at);
                cut.write(flight, record.from(), 3);
                cut.write(length >> 8);
                cut.write(length);
                cut.write(flight, at, length);
            }
        }
        return cut.toByteArray();
    }

    /** Why it failed; null if it did not. */
    private Throwable attempt(
            Way way,
            SSLEngine end,
            int asks,
            BiFunction<Integer, byte[], byte[]> change,
            Trial trial)
            throws InterruptedException {
        channel.meet(List.of(new TlsEnd(end, way.toServer ? stream : new byte[0], asks, change)));
        Settings settings =
                way.settings
                        .parameter("tls-creds", folder.toString())
                        .parameter("tls-hostname", TestCertificates.HOST)
                        .parameter("eof-silence", "50");
        String address = CHANNEL + ":x";
        Migration migration;
        try {
            migration =
                    way.toServer
                            ? engine.receive(new SmallMachine(trial), address, settings)
                            : engine.send(SmallMachine.full(), address, settings);
        } catch (IOException | RuntimeException | Error e) {
            return e;
        }
        if (!migration.await(LoadFormat.BOUND)) {
            trial.other("hangs: " + Hang.describe(migration.name()));
            migration.yank();
        }
        return migration.failure().orElse(null);
    }

    /** Certificates, and what is said where nothing is changed, which is accepted. */
    private void make() throws Exception {
        if (!Files.exists(folder)) TestCertificates.in(folder);
        if (peers != null) return;
        peers = new TlsPeers(folder);
        for (boolean toServer : new boolean[] {true, false}) {
            for (String protocol : PROTOCOLS) genuine(new Way(toServer, protocol, Settings.NONE));
        }
        flights.addAll(odd());
    }

    private void genuine(Way way) throws Exception {
        SSLEngine end = peers.engine(!way.toServer, way.protocol, peers.certificate(!way.toServer));
        BiFunction<Integer, byte[], byte[]> noted =
                (number, flight) -> {
                    flights.add(flight);
                    return flight;
                };
        Throwable why = attempt(way, end, 0, noted, new Trial());
        if (why != null) throw new IllegalStateException("a genuine handshake fails: " + way, why);
    }

    /** What is said before TLS, in place of it, or never. */
    private List<byte[]> odd() {
        byte[] emptyRecord = {22, 3, 3, 0, 0};
        byte[] changeCipher = {20, 3, 3, 0, 1, 1};
        byte[] warning = {21, 3, 3, 0, 2, 1, 90};
        return List.of(
                stream,
                Arrays.copyOf(stream, 8),
                emptyRecord,
                repeated(emptyRecord, 5000),
                changeCipher,
                repeated(changeCipher, 5000),
                warning,
                repeated(warning, 5000),
                new byte[] {21, 3, 3, 0, 2, 2, 40}, // handshake_failure
                new byte[] {21, 3, 3, 0, 2, 1, 0}, // close_notify
                new byte[] {22, 3, 3, 0, 4, 0, 0, 0, 0}, // HelloRequest
                new byte[] {22, 3, 3, 0, 5, 24, 0, 0, 1, 1}, // KeyUpdate
                new byte[] {23, 3, 3, 0, 4, 'Q', 'E', 'V', 'M'},
                new byte[] {24, 3, 3, 0, 3, 1, 0x40, 0}, // a heartbeat that says it is longer
                new byte[] {23, 3, 3, (byte) 0xff, (byte) 0xff, 0},
                new byte[] {22, 3, 1, 0x40, 0, 1, (byte) 0xff, (byte) 0xff, (byte) 0xff},
                new byte[] {(byte) 0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16, 1, 0, (byte) 0x80},
                ByteBuffer.allocate(1 << 16).array(),
                "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
                "{\"execute\":\"quit\"}\n".getBytes(StandardCharsets.US_ASCII),
                new byte[0]);
    }

    private static byte[] repeated(byte[] one, int times) {
        ByteBuffer all = ByteBuffer.allocate(one.length * times);
        while (all.hasRemaining()) all.put(one);
        return all.array();
    }

    @Override
    void settle() throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(folder);
    }

    @Override
    public void close() throws IOException {
        settle();
    }
}
