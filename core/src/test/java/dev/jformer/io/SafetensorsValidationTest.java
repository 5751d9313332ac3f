package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsValidationTest {
  private static final String A = "'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}";

  @TempDir Path directory;

  /** The message with which a file is refused, after the file's name. */
  private String refusal(byte[] content) throws IOException {
    Path path = RawFile.write(directory, "bad.safetensors", content);
    FormatException e = assertThrows(FormatException.class, () -> SafetensorsFile.open(path));
    String prefix = path + ": ";
    assertTrue(e.getMessage().startsWith(prefix), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    assertTrue(e.getMessage().length() < prefix.length() + 400, e.getMessage());
    return e.getMessage().substring(prefix.length());
  }

  private String refusal(String header, int dataBytes) throws IOException {
    return refusal(RawFile.of(header.replace('\'', '"'), new byte[dataBytes]));
  }

  @Test
  void everyPrefixOfAFileIsRefused() throws IOException {
    Path path = directory.resolve("good.safetensors");
    try (Scope scope = Scope.open()) {
      SafetensorsFile.write(
          path, Map.of("a", Tensor.randn(3, 2), "b", Tensor.arange(0, 3)), Map.of("k", "v"));
    }
    byte[] good = java.nio.file.Files.readAllBytes(path);
    for (int length = 0; length < good.length; length++) {
      refusal(Arrays.copyOf(good, length));
    }
    assertEquals(
        "1 bytes follow the last tensor, which ends at 48: expected the file to end there",
        refusal(Arrays.copyOf(good, good.length + 1)));
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 100_000_001, Long.MAX_VALUE, Long.MIN_VALUE, -1})
  void headersLongerThanTheFileAreRefused(long length) throws IOException {
    byte[] file = RawFile.of("{}");
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    assertEquals(
        "the header's length reads as "
            + Long.toUnsignedString(length)
            + ": expected at most 2; the file is truncated or not safetensors",
        refusal(file));
  }

  @Test
  void headersThatAreNotUtf8AreRefused() throws IOException {
    byte[] valid = RawFile.of("{\"__metadata__\":{\"k\":\"xx\"}}");
    int at = new String(valid, StandardCharsets.ISO_8859_1).indexOf("xx");
    for (int[] bytes : new int[][] {{0xFF, 'x'}, {0xC0, 0x80}, {'x', 0xE2}, {0x80, 'x'}}) {
      byte[] broken = valid.clone();
      broken[at] = (byte) bytes[0];
      broken[at + 1] = (byte) bytes[1];
      assertEquals("the header is not valid UTF-8", refusal(broken));
    }
  }

  @Test
  void emptyAndTinyFilesAreRefused() throws IOException {
    assertEquals(
        "holds 0 bytes: expected a safetensors file, which starts with 8 for its header's length",
        refusal(new byte[0]));
    assertEquals("the header is empty: expected a JSON object", refusal(new byte[8]));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          [1]                 | the header is not a JSON object: expected '{', found byte 0x5b
          ` {}`               | the header is not a JSON object: expected '{', found byte 0x20
          {                   | the header is not valid JSON: Unexpected end-of-input
          {} {}               | the header has more content after its closing brace
          {'a':1}             | tensor 'a' holds 1: expected an object
          {'a':null}          | tensor 'a' holds null: expected an object
          {'a':{}}            | tensor 'a' has no dtype
          {'__metadata__':[]} | __metadata__ holds [: expected an object
          {'__metadata__':{'k':1}} | __metadata__.k holds 1: expected a string
          {'__metadata__':{},'__metadata__':{}} | the header has the key '__metadata__' twice
          {'__metadata__':{'k':'','k':''}} | __metadata__ has the key 'k' twice
          {'a\\ud800':{}}     | the header holds half a surrogate pair in 'a?'
          {'\\u000ab':1}      | tensor '?b' holds 1: expected an object
          {'a':{'x':[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}} | the header is not valid JSON: Document nesting depth
          """)
  void headersOfTheWrongFormAreRefused(String header, String message) throws IOException {
    String refusal = refusal(header, 0);
    assertTrue(refusal.startsWith(message), refusal);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "F8_E4M3"|[8]|[0,8]       | dtype 'F8_E4M3' is not supported: expected one of [BOOL, U8, I8
          "f32"|[2]|[0,8]           | dtype 'f32' is not supported
          7|[2]|[0,8]               | dtype holds 7: expected a string
          "F32"|2|[0,8]             | shape holds 2: expected an array of integers
          "F32"|[-2]|[0,8]          | shape holds -2: expected integers from 0 to 2^63 - 1
          "F32"|[2.0]|[0,8]         | shape holds 2.0: expected integers from 0 to 2^63 - 1
          "F32"|[9223372036854775808]|[0,8] | shape holds 9223372036854775808: expected integers
          "F32"|["2"]|[0,8]         | shape holds 2: expected integers from 0 to 2^63 - 1
          "F32"|[[2]]|[0,8]         | shape holds [: expected integers from 0 to 2^63 - 1
          "F32"|[4294967296,4294967296,4]|[0,8] | shape [4294967296x4294967296x4] is larger than any file
          "F32"|[0,4294967296,4294967296]|[0,0] | shape [0x4294967296x4294967296] is larger than any file
          "F32"|[9223372036854775807]|[0,8] | shape [9223372036854775807] is larger than any file
          "F32"|[3]|[0,8]           | data_offsets [0, 8] hold 8 bytes: expected 12 for F32[3]
          "F32"|[]|[0,8]            | data_offsets [0, 8] hold 8 bytes: expected 4 for F32[]
          "F32"|[0]|[0,8]           | data_offsets [0, 8] hold 8 bytes: expected 0 for F32[0]
          "F32"|[2]|[8,0]           | data_offsets [8, 0] end before they begin
          "F32"|[2]|[1,9]           | data_offsets [1, 9] end past the file's 8 bytes of data: is it truncated?
          "F32"|[2]|[0]             | data_offsets [0] must be two numbers: expected [begin, end]
          "F32"|[2]|[0,8,8]         | data_offsets has more than 2 numbers
          "F32"|[2]|[-8,0]          | data_offsets holds -8: expected integers from 0 to 2^63 - 1
          "F32"|[2]|[0,1e1]         | data_offsets holds 1e1: expected integers from 0 to 2^63 - 1
          """)
  void tensorsThatMakeNoSenseAreRefused(String dtype, String shape, String offsets, String message)
      throws IOException {
    String header =
        "{\"a\":{\"dtype\":"
            + dtype
            + ",\"shape\":"
            + shape
            + ",\"data_offsets\":"
            + offsets
            + "}}";
    String refusal = refusal(header, 8);
    assertTrue(refusal.startsWith("tensor 'a': " + message), refusal);
  }

  @Test
  void moreThan64DimensionsAreRefused() throws IOException {
    String ones = "1,".repeat(64) + "1";
    String header = "{'a':{'dtype':'U8','shape':[" + ones + "],'data_offsets':[0,1]}}";
    assertEquals("tensor 'a': shape has more than 64 numbers", refusal(header, 1));
  }

  @Test
  void tensorsMustTileTheData() throws IOException {
    String b = "'b':{'dtype':'F32','shape':[2],'data_offsets':[%d,%d]}";
    assertEquals(
        "tensor 'b' begins at 4 but 'a' ends at 8: they overlap",
        refusal("{" + A + "," + b.formatted(4, 12) + "}", 12));
    assertEquals(
        "tensor 'b' begins at 0 but 'a' ends at 8: they overlap",
        refusal("{" + A + "," + b.formatted(0, 8) + "}", 8));
    assertEquals(
        "tensor 'b' begins at 12 but 'a' ends at 8: the bytes between belong to no tensor",
        refusal("{" + A + "," + b.formatted(12, 20) + "}", 20));
    assertEquals(
        "tensor 'b' begins at 4 but the header ends at 0: the bytes between belong to no tensor",
        refusal("{" + b.formatted(4, 12) + "}", 12));
    assertEquals(
        "2 bytes follow the last tensor, which ends at 8: expected the file to end there",
        refusal("{" + A + "}", 10));
    assertEquals("the header has the key 'a' twice", refusal("{" + A + "," + A + "}", 8));
    String empty = "'e':{'dtype':'F32','shape':[0],'data_offsets':[4,4]}";
    assertEquals(
        "tensor 'e' begins at 4 but 'a' ends at 8: they overlap",
        refusal("{" + A + "," + empty + "}", 8));
  }

  @Test
  void longNamesDoNotFloodTheMessage() throws IOException {
    String message = refusal("{'" + "x".repeat(40_000) + "':1}", 0);
    assertTrue(message.length() < 200, message);
  }

  @Test
  void directoriesAreRefused() {
    FormatException e = assertThrows(FormatException.class, () -> SafetensorsFile.open(directory));
    assertEquals(directory + ": is not a file: expected a safetensors file", e.getMessage());
  }

  @Test
  void booleansOtherThanZeroAndOneAreRefused() throws IOException {
    String header = "{\"m\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]}}";
    byte[] content = RawFile.of(header, (byte) 1, (byte) 0, (byte) 0x80);
    Path path = RawFile.write(directory, "bool.safetensors", content);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      FormatException e = assertThrows(FormatException.class, () -> file.tensor("m"));
      assertEquals(
          path + ": tensor 'm' of type BOOL holds the byte 128: expected 0 or 1", e.getMessage());
    }
  }

  @Test
  void unknownKeysArePassedOver() throws IOException {
    String header = "{" + A.replace("{'dtype'", "{'x':{'y':[1,{}]},'dtype'") + "}";
    byte[] content = RawFile.of(header.replace('\'', '"'), new byte[8]);
    try (SafetensorsFile file =
        SafetensorsFile.open(RawFile.write(directory, "extra.safetensors", content))) {
      assertEquals(1, file.names().size());
    }
  }
}
