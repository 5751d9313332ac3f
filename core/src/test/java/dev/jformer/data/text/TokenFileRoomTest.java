package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.io.DiskRoom;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small zip file that unpacks to much text does not fill a disk. */
class TokenFileRoomTest {
  private static final int BYTES = 12_000_000;

  @TempDir Path folder;

  private Path zip;
  private Path place;

  @BeforeEach
  void pack() throws IOException {
    zip = folder.resolve("bomb.zip");
    place = Files.createDirectory(folder.resolve("run"));
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      out.putNextEntry(new ZipEntry("a.txt"));
      for (int i = 0; i < BYTES / 12; i++) {
        out.write("twelve byte\n".getBytes(StandardCharsets.US_ASCII));
      }
    }
    assertTrue(Files.size(zip) < BYTES / 100);
  }

  private TokenFile prepare(DiskRoom room, AtomicLong done) throws IOException {
    return TokenFile.prepare(
        place, Corpus.open(zip, List.of()), new ByteTokenizer(), 0.1, done::set, room);
  }

  private void nothingIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(place)) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void isRefusedWhereTheTokensDoNotFit() throws IOException {
    AtomicLong done = new AtomicLong();
    DiskRoom room = new DiskRoom("the disk", () -> 10_000_000);
    String message = assertThrows(IOException.class, () -> prepare(room, done)).getMessage();
    assertTrue(message.startsWith("the tokens of " + zip + " would take 1"), message);
    assertTrue(message.contains("10.0 MB are free on the disk of the disk"), message);
    assertTrue(message.contains("1.0 MB are left alone"), message);
    assertTrue(done.get() < 2_000_000, "it is noticed early: " + done.get());
    nothingIsLeft();
  }

  @Test
  void stopsWhenOthersFillTheDisk() throws IOException {
    AtomicLong done = new AtomicLong();
    DiskRoom room =
        new DiskRoom("the disk", () -> done.get() < 6_000_000 ? 100_000_000 : 10_500_000);
    assertThrows(IOException.class, () -> prepare(room, done));
    assertTrue(done.get() >= 6_000_000, "" + done);
    nothingIsLeft();
  }

  @Test
  void isReadWhereThereIsRoom() throws IOException {
    DiskRoom room = new DiskRoom("the disk", () -> 14_000_000);
    try (TokenFile tokens = prepare(room, new AtomicLong())) {
      assertEquals(BYTES, tokens.header().trainBytes() + tokens.header().validationBytes());
    }
  }
}
