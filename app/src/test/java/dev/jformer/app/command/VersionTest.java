package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VersionTest {
  private static final String HASH = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path folder;

  private Path write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    return Files.writeString(path, text + "\n");
  }

  @Test
  void findsTheCommitOfABranch() throws IOException {
    write(".git/HEAD", "ref: refs/heads/main");
    assertEquals("", Version.commit(folder.resolve(".git")));
    write(".git/packed-refs", "# packed\n" + HASH + " refs/heads/main");
    assertEquals(HASH, Version.commit(folder.resolve(".git")));
    write(".git/refs/heads/main", HASH.replace('0', 'f'));
    assertEquals(HASH.replace('0', 'f'), Version.commit(folder.resolve(".git")));
  }

  @Test
  void findsTheCommitWithoutABranch() throws IOException {
    write(".git/HEAD", HASH);
    assertEquals(HASH, Version.commit(folder.resolve(".git")));
  }

  @Test
  void findsTheCommitOfAFurtherWorktree() throws IOException {
    write("main/.git/worktrees/other/HEAD", "ref: refs/heads/topic");
    write("main/.git/worktrees/other/commondir", "../..");
    write("main/.git/refs/heads/topic", HASH);
    Path file = write("other/.git", "gitdir: ../main/.git/worktrees/other");
    assertEquals(HASH, Version.commit(file));
  }

  @Test
  void aFolderThatIsNoCheckoutHasNoCommit() throws IOException {
    assertEquals("", Version.commit(folder.resolve(".git")));
    write(".git/HEAD", "something else");
    assertEquals("", Version.commit(folder.resolve(".git")));
  }
}
