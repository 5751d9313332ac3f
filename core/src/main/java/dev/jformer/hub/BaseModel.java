package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FormatException;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The model that an adapter belongs to, as the file {@code adapter_base.json} beside it says: where
 * it is, its fingerprint, and the configuration that the adapter was trained with.
 *
 * @param folder of the model, or its file
 * @param fingerprint of its configuration and weights; empty if unknown
 * @param config of the model with the adapter; null for the base's own
 * @param ranks of the updates by the names of our matrices; empty if unknown
 */
public record BaseModel(
    Path folder, String fingerprint, Model.Config config, Map<String, Integer> ranks) {
  /** The name of the file. */
  static final String FILE = AdapterPlace.BASE;

  /** Weights are read at so many places in each file. */
  private static final int SAMPLES = 64;

  private static final int SAMPLE_BYTES = 1 << 16;

  /** Describes the model in a folder as the base of an adapter of this configuration. */
  public static BaseModel of(Path folder, Model.Config config) throws IOException {
    return new BaseModel(
        folder.toAbsolutePath().normalize(), fingerprint(folder), config, Map.of());
  }

  /** The same base with the ranks of an adapter. */
  BaseModel withRanks(Map<String, Integer> own) {
    return new BaseModel(folder, fingerprint, config, own);
  }

  /**
   * Computes the fingerprint of a model: the SHA-256 of the sizes of its files of weights and
   * configuration and of 4 MB of their content, evenly spread. A model that was trained on differs
   * everywhere.
   */
  static String fingerprint(Path model) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files(model)) {
        add(digest, file);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Path> files(Path model) throws IOException {
    if (!Files.isDirectory(model)) {
      return List.of(model);
    }
    try (Stream<Path> entries = Files.list(model)) {
      List<Path> files =
          entries
              .filter(
                  file -> {
                    String name = file.getFileName().toString();
                    return name.equals(Models.CONFIG)
                        || name.equals(Models.ONNX)
                        || name.startsWith("adapter_")
                        || (name.startsWith("model") && name.endsWith(".safetensors"));
                  })
              .sorted()
              .toList();
      return files;
    }
  }

  private static void add(MessageDigest digest, Path file) throws IOException {
    try (FileChannel in = FileChannel.open(file)) {
      long size = in.size();
      digest.update((file.getFileName() + " " + size + "\n").getBytes(StandardCharsets.UTF_8));
      long step = Math.max(SAMPLE_BYTES, size / SAMPLES);
      ByteBuffer buffer = ByteBuffer.allocate(SAMPLE_BYTES);
      for (long at = 0; at < size; at += step) {
        buffer.clear();
        long from = at;
        while (buffer.hasRemaining()) {
          int read = in.read(buffer, from + buffer.position());
          if (read < 0) {
            break;
          }
        }
        digest.update(buffer.flip());
      }
    }
  }

  /** Writes the file into an adapter's folder. */
  void write(Path adapter) throws IOException {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("folder", folder.toString());
    node.put("fingerprint", fingerprint);
    if (config != null) {
      node.set("model", Configs.write(config));
    }
    ranks.forEach(node.putObject("ranks")::put);
    AtomicFile.write(adapter.resolve(FILE), Models.utf8(node.toPrettyString() + "\n"));
  }

  /**
   * Finds the base of an adapter; see {@link AdapterPlace#base}.
   *
   * @throws FormatException if there is no such model
   */
  static BaseModel find(Path adapter) throws IOException {
    JsonNode node = SideFiles.read(adapter.resolve(FILE));
    Model.Config config =
        node.has("model") ? Configs.bind(node.get("model"), Model.Config.class) : null;
    Map<String, Integer> ranks = new LinkedHashMap<>();
    node.path("ranks")
        .properties()
        .forEach(each -> ranks.put(each.getKey(), each.getValue().asInt()));
    return new BaseModel(
        AdapterPlace.base(adapter).orElseThrow(),
        node.path("fingerprint").asText(""),
        config,
        ranks);
  }

  /**
   * Checks that the model is the one that the adapter was trained with.
   *
   * @throws ConfigException if it was changed since
   */
  void check(Path adapter) throws IOException {
    if (!fingerprint.isEmpty() && !fingerprint.equals(fingerprint(folder))) {
      throw new ConfigException(
          "the adapter in "
              + adapter
              + " was trained with another model than the one that is in "
              + folder
              + " now: put that model back; or, if it is the same in another form, delete the field"
              + " fingerprint in "
              + FILE);
    }
  }
}
