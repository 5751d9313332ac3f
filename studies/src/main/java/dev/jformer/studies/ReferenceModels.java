package dev.jformer.studies;

import dev.jformer.config.Configs;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.run.Recipe;
import dev.jformer.studies.trial.MiniLm;
import dev.jformer.studies.trial.ReferenceTraining;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * The trained models that studies share. Each model is trained with its recipe at first use and
 * cached, so that studies of trained models use well-trained ones. An interrupted training resumes.
 * If several processes need a model, one trains it and the others wait. At smoke scale the models
 * are tiny.
 */
public final class ReferenceModels {
  private static final String VARIABLE = "JFORMER_MODELS";
  private static final String RECIPE = "reference-recipe.json";

  /** The available models. */
  public enum Name {
    /**
     * A byte-level language model of tinyshakespeare, 1.48 nats per byte; about 20 minutes of
     * training.
     */
    SHAKESPEARE,
    /** A vision transformer on CIFAR-10, 70 % accuracy; about 30 minutes of training. */
    VIT,
    /**
     * A translator from English to German trained on Multi30k, 37 BLEU; about an hour of training.
     */
    TRANSLATOR,
    /** all-MiniLM-L6-v2, a published sentence encoder, which is not trained here. */
    MINILM;

    String file() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Path cache;
  private final Scale scale;
  private final Watcher watcher;

  /**
   * Creates the models of a cache folder.
   *
   * @param cache folder of the models, with one subfolder for each scale
   * @param watcher receives the progress of trainings
   */
  public ReferenceModels(Path cache, Scale scale, Watcher watcher) {
    this.cache = cache.resolve(scale.name().toLowerCase(Locale.ROOT));
    this.scale = scale;
    this.watcher = watcher;
  }

  /**
   * Returns the models in the folder that the environment variable {@code JFORMER_MODELS} names, or
   * in {@code .cache/jformer/models} of the user's home if it is not set.
   */
  public static ReferenceModels here(Scale scale, Watcher watcher) {
    String named = System.getenv(VARIABLE);
    Path home = Path.of(System.getProperty("user.home"), ".cache", "jformer", "models");
    return new ReferenceModels(named == null ? home : Path.of(named), scale, watcher);
  }

  /**
   * Returns the folder of a model, and trains the model first if it is not cached. Do not change
   * the files.
   *
   * @throws dev.jformer.data.DataException if the model must be trained and its data is not found
   */
  public Path folder(Name name) {
    if (name == Name.MINILM && scale != Scale.SMOKE) {
      return MiniLm.folder();
    }
    String recipe = recipe(name);
    Path place = cache.resolve(name.file());
    try {
      if (!made(place, recipe)) {
        Files.createDirectories(cache);
        Path lock = cache.resolve(name.file() + ".lock");
        try (FileChannel channel =
                FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock held = channel.lock()) {
          if (!made(place, recipe)) { // no other process has trained it meanwhile
            make(name, recipe, place);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save the reference model " + name + " in " + cache, e);
    }
    return place;
  }

  private static boolean made(Path place, String recipe) throws IOException {
    Path file = place.resolve(RECIPE);
    return Files.exists(file) && Files.readString(file).equals(recipe);
  }

  private void make(Name name, String recipe, Path place) throws IOException {
    Path unfinished = cache.resolve(name.file() + ".unfinished");
    if (!made(unfinished, recipe)) { // started with another recipe
      FileTree.delete(unfinished);
      Files.createDirectories(unfinished);
      AtomicFile.write(unfinished.resolve(RECIPE), recipe.getBytes(StandardCharsets.UTF_8));
    }
    String what = "reference model " + name.file();
    watcher.begin(what);
    long start = System.nanoTime();
    ReferenceTraining.of(
        name,
        scale,
        Configs.parse(recipe, Recipe.class),
        unfinished,
        (done, detail) -> watcher.progress(what, done, detail));
    FileTree.delete(place);
    Files.move(unfinished, place, StandardCopyOption.ATOMIC_MOVE);
    watcher.end(what, (System.nanoTime() - start) / 1e9, false);
  }

  private String recipe(Name name) {
    String file = "reference/" + name.file() + (scale == Scale.SMOKE ? "-smoke" : "") + ".json";
    try (InputStream in = ReferenceModels.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }
}
