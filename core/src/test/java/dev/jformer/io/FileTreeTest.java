package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FileTreeTest {
  @TempDir Path folder;

  @Test
  void deletesFoldersAndFilesAndNothingBesideThem() throws IOException {
    Files.createDirectories(folder.resolve("tree/a/b"));
    Files.writeString(folder.resolve("tree/a/b/file"), "x");
    Files.writeString(folder.resolve("tree/file"), "x");
    Path beside = Files.writeString(folder.resolve("tree-2"), "x");
    FileTree.delete(folder.resolve("tree"));
    assertFalse(Files.exists(folder.resolve("tree")));
    assertTrue(Files.exists(beside));
    FileTree.delete(beside);
    assertFalse(Files.exists(beside));
    FileTree.delete(beside); // is not there: nothing to do
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void leavesAloneWhatLinksLeadTo() throws IOException {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path precious = Files.writeString(outside.resolve("precious"), "x");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.createSymbolicLink(tree.resolve("link"), outside);
    Path broken = Files.createSymbolicLink(folder.resolve("broken"), folder.resolve("nowhere"));
    FileTree.delete(tree);
    FileTree.delete(broken);
    assertFalse(Files.exists(broken, LinkOption.NOFOLLOW_LINKS));
    assertEquals("x", Files.readString(precious));
  }
}
