package dev.jformer.app.command;

import dev.jformer.adapt.Adapter;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.run.Recipe;
import dev.jformer.studies.Studies;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;

/**
 * Values that shells complete; files, among them the folders of runs, they find themselves. Values
 * are looked up only when a completion script is made, because every command creates these.
 */
final class Completion {
  private Completion() {}

  /** The names of recipes. */
  static final class Recipes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Recipe.names().iterator();
    }
  }

  /** The values of {@code train --task}. */
  static final class Tasks implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return TrainTask.names().iterator();
    }
  }

  /** The values of {@code train --adapter}. */
  static final class Adapters implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Configs.parts(Adapter.class).keySet().iterator();
    }
  }

  /** The values of {@code train --pretrain}. */
  static final class Denoising implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(dev.jformer.train.Denoising.Kind.values())
          .map(kind -> kind.name().toLowerCase(Locale.ROOT))
          .iterator();
    }
  }

  /** The values of {@code tokenizer train --method}. */
  static final class TokenizerMethods implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return TokenizerMethod.labels().iterator();
    }
  }

  /** The names of papers. */
  static final class Papers implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Catalogue.papers().stream().map(Paper::slug).iterator();
    }
  }

  /** The names of papers that have a study. */
  static final class Studied implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Studies.all().keySet().iterator();
    }
  }
}
