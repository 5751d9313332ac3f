package dev.jformer.studies;

import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.evidence.Evidence;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** Finds and runs the studies. */
public final class Studies {
  private Studies() {}

  /** Returns all studies by slug. */
  public static Map<String, Study> all() {
    Map<String, Study> studies = new TreeMap<>();
    for (Study study : ServiceLoader.load(Study.class)) {
      if (studies.put(study.slug(), study) != null) {
        throw new IllegalStateException(
            "two studies have the slug " + study.slug() + ": expected one study for a paper");
      }
    }
    return studies;
  }

  /**
   * Runs a study.
   *
   * @param command the command line that repeats it
   */
  public static Evidence run(Study study, ExperimentContext context, String command) {
    Paper paper = Catalogue.paper(study.slug());
    study.run(context);
    return context.evidence(paper.slug(), paper.title(), command);
  }
}
