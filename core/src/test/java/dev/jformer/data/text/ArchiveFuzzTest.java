package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.testing.Mutations;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Damaged gzip and zip files of text are read or refused. */
class ArchiveFuzzTest {
  private static final byte[] TEXT =
      "Some words, é and 中, in lines.\r\nMore words\tand a label\n"
          .repeat(40)
          .getBytes(StandardCharsets.UTF_8);
  private static Path folder;

  @BeforeContainer
  static void create() throws IOException {
    folder = Files.createTempDirectory("fuzz");
  }

  @AfterContainer
  static void delete() throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  @Provide
  Arbitrary<byte[]> gzips() throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(whole)) {
      out.write(TEXT);
    }
    return Mutations.of(List.of(whole.toByteArray(), TEXT));
  }

  @Property
  void gzipsAreReadOrRefused(@ForAll("gzips") byte[] file) {
    Mutations.check(
        "fuzz.gz",
        () -> TextLines.read(Files.write(folder.resolve("fuzz.gz"), file)),
        DataException.class);
  }

  @Provide
  Arbitrary<byte[]> zips() throws IOException {
    ByteArrayOutputStream deflated = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(deflated)) {
      for (String name : List.of("a/1.txt", "b/é.txt", "c.txt")) {
        out.putNextEntry(new ZipEntry(name));
        out.write(TEXT);
      }
    }
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(stored)) {
      out.setLevel(0);
      out.putNextEntry(new ZipEntry("1.txt"));
      out.write(TEXT);
    }
    return Mutations.of(List.of(deflated.toByteArray(), stored.toByteArray()));
  }

  @Property
  void zipsAreReadOrRefused(@ForAll("zips") byte[] file) {
    Mutations.check(
        "fuzz.zip",
        () -> {
          Path zip = Files.write(folder.resolve("fuzz.zip"), file);
          Corpus.open(zip, List.of()).read(piece -> {});
        },
        DataException.class);
  }
}
