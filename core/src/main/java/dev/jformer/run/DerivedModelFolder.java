package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.hub.SideFiles;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Saves models that were derived from others, for example by compression. */
public final class DerivedModelFolder {
  private static final List<String> COMPANIONS = List.of("classes.json", "series.json");

  private DerivedModelFolder() {}

  /**
   * Saves a model with the tokenizer, the classes and the recipe of its origin, the recipe changed
   * to the new model. The files are written to a temporary folder that is then renamed, so that all
   * of them exist or none.
   *
   * @param from the folder of the original model
   * @param to a folder that does not exist yet
   */
  public static void save(Model made, Path from, Path to) throws IOException {
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
      if (Tokenizers.exists(from)) {
        Tokenizers.load(from).save(scratch); // it may lie in other files than tokenizer.json
      }
      SideFiles.copy(from, scratch);
      Path recipe = from.resolve("recipe.json");
      if (Files.exists(recipe)) {
        Recipe before = Configs.read(recipe, Recipe.class);
        Recipe after = before.with(changed -> changed.model(made.config()).from(""));
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
