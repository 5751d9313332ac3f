package dev.jformer.app.command;

import dev.jformer.run.Recipe;
import dev.jformer.studies.Studies;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.util.ArrayList;
import java.util.List;

/** Values that shells complete; files, among them the folders of runs, they find themselves. */
final class Completion {
  private Completion() {}

  /** The names of recipes. */
  static final class Recipes extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Recipes() {
      super(Recipe.names());
    }
  }

  /** The values of {@code train --task}. */
  static final class Tasks extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Tasks() {
      super(TrainTask.names());
    }
  }

  /** The names of papers. */
  static final class Papers extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Papers() {
      super(Catalogue.papers().stream().map(Paper::slug).toList());
    }
  }

  /** The names of papers that have a study. */
  static final class Studied extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Studied() {
      super(List.copyOf(Studies.all().keySet()));
    }
  }
}
