package dev.jformer.studies;

import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.evidence.Evidence;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The studies there are. */
public final class Studies {
  private Studies() {}

  /** All studies by slug. */
  public static Map<String, Study> all() {
    Map<String, Study> studies = new TreeMap<>();
    for (Study study : ServiceLoader.load(Study.class)) {
      if (studies.put(study.slug(), study) != null) {
        throw new IllegalStateException("two studies of the paper " + study.slug());
      }
    }
    return studies;
  }

  /**
   * Runs a study.
   *
   * @param command what the reader would type to repeat it
   */
  public static Evidence run(Study study, ExperimentContext lab, String command) {
    Paper paper = Catalogue.paper(study.slug());
    study.run(lab);
    return lab.evidence(paper.slug(), paper.title(), command);
  }
}
