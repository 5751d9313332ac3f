package dev.jformer.run;

import dev.jformer.adapt.NoAdapter;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.hub.SideFiles;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Saves models that were derived from others, for example by compression. */
public final class DerivedModelFolder {
  private static final List<String> COMPANIONS =
      List.of("classes.json", "series.json", ProblemFile.NAME, WordProgramJob.FILE);

  private DerivedModelFolder() {}

  /**
   * Saves a model with the tokenizer, the classes and the recipe of its origin, the recipe changed
   * to the new model. All files appear or none.
   *
   * @param from the folder of the original model
   * @param to a folder without a model
   */
  public static void save(Model made, Path from, Path to) throws IOException {
    try (OutputFolder out = OutputFolder.open(to, false, List.of(from))) {
      write(made, from, out.staging());
      out.publish();
    }
  }

  /** Writes the same files to a folder, one after the other. */
  public static void write(Model made, Path from, Path to) throws IOException {
    Models.save(made, to);
    for (String companion : COMPANIONS) {
      if (Files.exists(from.resolve(companion))) {
        AtomicFile.write(to.resolve(companion), Files.readAllBytes(from.resolve(companion)));
      }
    }
    if (!Files.exists(to.resolve(COMPANIONS.get(0))) && ClassNames.exists(from)) {
      ClassNames.load(from).save(to); // a Hugging Face model has them in its configuration
    }
    if (Tokenizers.exists(from)) {
      Tokenizers.load(from).save(to); // it may lie in other files than tokenizer.json
    }
    SideFiles.copy(from, to);
    Path recipe = from.resolve(RunFolder.RECIPE);
    if (Files.exists(recipe)) {
      Recipe before = Configs.read(recipe, Recipe.class);
      Recipe after =
          before.with(changed -> changed.model(made.config()).from("").adapter(new NoAdapter()));
      AtomicFile.write(
          to.resolve(RunFolder.RECIPE), Configs.toJson(after).getBytes(StandardCharsets.UTF_8));
    }
  }
}
