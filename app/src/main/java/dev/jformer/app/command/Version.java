package dev.jformer.app.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which jformer this is, as results name it. */
final class Version {
  static final String NUMBER = "0.1.0-SNAPSHOT";

  private Version() {}

  /** The version, with the commit if the program runs from a checkout. */
  static String here() {
    String commit = commit(Path.of(System.getProperty("jformer.home", "."), ".git"));
    return commit.isEmpty() ? NUMBER : NUMBER + " at " + commit.substring(0, 9);
  }

  /**
   * The full commit that a repository has checked out; empty if that cannot be told.
   *
   * @param place its folder {@code .git}, or the file of that name in a further worktree
   */
  static String commit(Path place) {
    try {
      Path git = place;
      if (Files.isRegularFile(place)) {
        String named = Files.readString(place).strip().replaceFirst("^gitdir: ", "");
        git = place.resolveSibling(named);
      }
      String head = Files.readString(git.resolve("HEAD")).strip();
      if (!head.startsWith("ref: ")) {
        return hash(head);
      }
      String reference = head.substring("ref: ".length());
      Path common = git.resolve("commondir");
      if (Files.exists(common)) {
        git = git.resolve(Files.readString(common).strip());
      }
      if (Files.exists(git.resolve(reference))) {
        return hash(Files.readString(git.resolve(reference)).strip());
      }
      for (String line : Files.readAllLines(git.resolve("packed-refs"))) {
        if (line.endsWith(" " + reference)) {
          return hash(line.substring(0, line.indexOf(' ')));
        }
      }
      return "";
    } catch (IOException | RuntimeException e) {
      return ""; // no checkout
    }
  }

  private static String hash(String text) {
    return text.matches("[0-9a-f]{40,64}") ? text : "";
  }
}
