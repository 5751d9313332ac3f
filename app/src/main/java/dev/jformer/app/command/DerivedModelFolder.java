package dev.jformer.app.command;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import dev.jformer.run.Recipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Models that were made of others. */
final class DerivedModelFolder {
  private static final List<String> COMPANIONS = List.of("tokenizer.json", "classes.json");

  private DerivedModelFolder() {}

  /**
   * Saves a model with what belongs to it: the tokenizer and classes of the model that it was made
   * of, and its recipe, changed to the new model. All files are written beside their place first,
   * so that nothing is there or everything.
   *
   * @param from the folder of the model that it was made of
   * @param to a folder that is not there yet
   */
  static void save(Model made, Path from, Path to) throws IOException {
    Path place = to.toAbsolutePath().normalize();
    Files.createDirectories(place.getParent());
    Path scratch =
        place.resolveSibling("." + place.getFileName() + "-" + ProcessHandle.current().pid());
    Files.createDirectory(scratch);
    try {
      Models.save(made, scratch);
      for (String companion : COMPANIONS) {
        if (Files.exists(from.resolve(companion))) {
          Files.copy(from.resolve(companion), scratch.resolve(companion));
        }
      }
      Path recipe = from.resolve("recipe.json");
      if (Files.exists(recipe)) {
        Recipe before = Configs.read(recipe, Recipe.class);
        Recipe after = before.with(r -> r.model(made.config()).from(""));
        AtomicFile.write(
            scratch.resolve("recipe.json"), Configs.toJson(after).getBytes(StandardCharsets.UTF_8));
      }
      Files.move(scratch, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | RuntimeException | Error e) {
      FileTree.delete(scratch);
      throw e;
    }
  }
}
