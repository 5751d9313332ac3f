package dev.jformer.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The safetensors format by hand, with nothing of the code under test. */
final class RawFile {
  private RawFile() {}

  /** A file's bytes: the header's length, the header as it is given, the data. */
  static byte[] of(String header, byte... data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }

  static Path write(Path directory, String name, byte[] content) throws IOException {
    return Files.write(directory.resolve(name), content);
  }

  static long headerBytes(byte[] file) {
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
  }

  static JsonNode header(byte[] file) throws IOException {
    return new JsonMapper().readTree(file, 8, Math.toIntExact(headerBytes(file)));
  }

  /** The bytes of one tensor, in little-endian order. */
  static ByteBuffer data(byte[] file, String name) throws IOException {
    JsonNode offsets = header(file).get(name).get("data_offsets");
    int start = Math.toIntExact(8 + headerBytes(file));
    int begin = offsets.get(0).asInt();
    int end = offsets.get(1).asInt();
    return ByteBuffer.wrap(file, start + begin, end - begin).slice().order(ByteOrder.LITTLE_ENDIAN);
  }
}
