package dev.jformer.io;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.RegularFile;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The index of sharded weights, which says which file holds which tensor: the content of Hugging
 * Face's {@code model.safetensors.index.json}.
 *
 * @param fileOf the shard's file name by tensor name, in alphabetical order
 */
record ShardIndex(Map<String, String> fileOf) {
  private static final String WEIGHT_MAP = "weight_map";

  /** A name that stays in its directory on every system. */
  private static final Pattern PLAIN_NAME = Pattern.compile("[^/\\\\:\\p{Cntrl}]+\\.safetensors");

  /**
   * Reads an index.
   *
   * @throws FormatException if it is not one, or names a file outside its directory
   */
  static ShardIndex read(Path file) throws IOException {
    long size = Files.size(RegularFile.check(file));
    if (size > StrictJson.LONGEST) {
      throw new FormatException(
          file + ": has " + size + " bytes: expected at most " + StrictJson.LONGEST);
    }
    try {
      return StrictJson.read(
          ByteBuffer.wrap(Files.readAllBytes(file)), "the index", ShardIndex::read);
    } catch (FormatException e) {
      throw e.in(file);
    }
  }

  private static ShardIndex read(StrictJson json) throws IOException {
    Map<String, String> fileOf = new TreeMap<>();
    boolean[] found = {false};
    json.object(
        "the index",
        key -> {
          if (key.equals(WEIGHT_MAP)) {
            found[0] = true;
            json.object(WEIGHT_MAP, name -> fileOf.put(name, shardName(json, name)));
          } else {
            json.skip();
          }
        });
    if (!found[0]) {
      throw new FormatException("the index has no " + WEIGHT_MAP);
    }
    return new ShardIndex(Collections.unmodifiableMap(fileOf));
  }

  private static String shardName(StrictJson json, String tensor) throws IOException {
    String what = WEIGHT_MAP + " of tensor " + FormatException.quote(tensor);
    String shard = json.string(what);
    if (!PLAIN_NAME.matcher(shard).matches()) {
      throw new FormatException(
          what
              + " names the file "
              + FormatException.quote(shard)
              + ": expected a plain name that ends in .safetensors, in the same directory");
    }
    return shard;
  }

  /**
   * The index as a file's content, indented as transformers does.
   *
   * @param totalBytes the size of all tensors
   */
  byte[] toBytes(long totalBytes) throws IOException {
    DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
                Separators.createDefaultInstance().withObjectFieldValueSpacing(Spacing.AFTER))
            .withObjectIndenter(indenter);
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonMapper().createGenerator(text).setPrettyPrinter(printer)) {
      json.writeStartObject();
      json.writeObjectFieldStart("metadata");
      json.writeNumberField("total_size", totalBytes);
      json.writeEndObject();
      json.writeObjectFieldStart(WEIGHT_MAP);
      for (Map.Entry<String, String> entry : fileOf.entrySet()) {
        json.writeStringField(entry.getKey(), entry.getValue());
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    return (text + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
