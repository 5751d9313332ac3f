/** The catalogue of papers and the studies that measure their claims. */
@SuppressWarnings("requires-automatic")
open module dev.jformer.studies {
  requires transitive dev.jformer.core;
  requires static com.google.auto.service;
  requires static io.soabase.recordbuilder.core;
  requires java.compiler;
  requires java.desktop;
  requires java.management;

  exports dev.jformer.studies;
  exports dev.jformer.studies.adaptation;
  exports dev.jformer.studies.algorithmic;
  exports dev.jformer.studies.catalogue;
  exports dev.jformer.studies.channelmixer;
  exports dev.jformer.studies.compare;
  exports dev.jformer.studies.compression;
  exports dev.jformer.studies.evidence;
  exports dev.jformer.studies.forecasting;
  exports dev.jformer.studies.generation;
  exports dev.jformer.studies.incontext;
  exports dev.jformer.studies.pages;
  exports dev.jformer.studies.report;
  exports dev.jformer.studies.tokenization;
  exports dev.jformer.studies.tokenmixer;
  exports dev.jformer.studies.trial;

  uses dev.jformer.studies.Study;

  provides dev.jformer.studies.Study with
      dev.jformer.studies.adaptation.DiswotStudy,
      dev.jformer.studies.adaptation.EvaStudy,
      dev.jformer.studies.adaptation.MakingTheMostStudy,
      dev.jformer.studies.adaptation.NeverFromScratchStudy,
      dev.jformer.studies.adaptation.RandomTeachersStudy,
      dev.jformer.studies.adaptation.TlegStudy,
      dev.jformer.studies.algorithmic.AlgoformerStudy,
      dev.jformer.studies.algorithmic.CotExpressivePowerStudy,
      dev.jformer.studies.algorithmic.CotMysteryStudy,
      dev.jformer.studies.algorithmic.DissectingMultiplicationStudy,
      dev.jformer.studies.algorithmic.RaspLengthGeneralizationStudy,
      dev.jformer.studies.algorithmic.TeachingArithmeticStudy,
      dev.jformer.studies.algorithmic.TransformerProgramsStudy,
      dev.jformer.studies.channelmixer.EmoeStudy,
      dev.jformer.studies.channelmixer.EvomoeStudy,
      dev.jformer.studies.channelmixer.KatStudy,
      dev.jformer.studies.channelmixer.LazyNeuronStudy,
      dev.jformer.studies.channelmixer.MatformerStudy,
      dev.jformer.studies.channelmixer.MohdStudy,
      dev.jformer.studies.channelmixer.SmoeDropoutStudy,
      dev.jformer.studies.channelmixer.ThorStudy,
      dev.jformer.studies.compression.DenseshiftStudy,
      dev.jformer.studies.compression.DsformerStudy,
      dev.jformer.studies.compression.EssentialSparsityStudy,
      dev.jformer.studies.compression.FeatureComplexityStudy,
      dev.jformer.studies.compression.InferenceSurveyStudy,
      dev.jformer.studies.compression.LlmFp4Study,
      dev.jformer.studies.compression.LlmInt8Study,
      dev.jformer.studies.compression.NoisyquantStudy,
      dev.jformer.studies.compression.RandomPruningStudy,
      dev.jformer.studies.compression.RandomSearchStudy,
      dev.jformer.studies.compression.ZeroTpruneStudy,
      dev.jformer.studies.forecasting.InformerStudy,
      dev.jformer.studies.forecasting.ItransformerStudy,
      dev.jformer.studies.generation.DiffscalerStudy,
      dev.jformer.studies.generation.MicroDiffusionStudy,
      dev.jformer.studies.generation.PutStudy,
      dev.jformer.studies.generation.SpeculativeJacobiStudy,
      dev.jformer.studies.incontext.BandlimitedRandomNetsStudy,
      dev.jformer.studies.incontext.DataDistributionalPropertiesStudy,
      dev.jformer.studies.incontext.DiscreteFunctionsStudy,
      dev.jformer.studies.incontext.DistributionTransformersStudy,
      dev.jformer.studies.incontext.IclUncertaintyStudy,
      dev.jformer.studies.incontext.InContextRlStudy,
      dev.jformer.studies.incontext.LinearModelsInContextStudy,
      dev.jformer.studies.incontext.RandomFeatureAttentionLayerStudy,
      dev.jformer.studies.incontext.ScanAndSnapStudy,
      dev.jformer.studies.incontext.SequentialFunctionsStudy,
      dev.jformer.studies.tokenization.TokenizationTheoryStudy,
      dev.jformer.studies.tokenmixer.CombinerStudy,
      dev.jformer.studies.tokenmixer.ExtractorsStudy,
      dev.jformer.studies.tokenmixer.FasterLighterSurveyStudy,
      dev.jformer.studies.tokenmixer.FitStudy,
      dev.jformer.studies.tokenmixer.FlowformerStudy,
      dev.jformer.studies.tokenmixer.GenerativeAiModelingStudy,
      dev.jformer.studies.tokenmixer.LmuformerStudy,
      dev.jformer.studies.tokenmixer.MetaformerStudy,
      dev.jformer.studies.tokenmixer.PrimerStudy,
      dev.jformer.studies.tokenmixer.QuantizableStudy,
      dev.jformer.studies.tokenmixer.SigmaReparamStudy,
      dev.jformer.studies.tokenmixer.SsaStudy,
      dev.jformer.studies.tokenmixer.TokenformerStudy,
      dev.jformer.studies.tokenmixer.UrpeStudy;
}
