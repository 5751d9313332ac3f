package dev.jformer.studies.adaptation;

import com.google.auto.service.AutoService;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Study;

/**
 * Making the most of a model (<a href="https://arxiv.org/abs/2408.16241">Making the Most of your
 * Model: Methods for Finetuning and Applying Pretrained Transformers</a>): caches that adapt to a
 * text, and modes that do not degenerate.
 */
@AutoService(Study.class)
public final class MakingTheMostStudy implements Study {
  @Override
  public void run(ExperimentContext lab) {
    AdaptedStates.run(lab);
    DegenerateModes.run(lab);
  }
}
