/**
 * Efficient Transformers: tensors, modules, models, data, training, compression, decoding and
 * files.
 *
 * <p>Whoever adds parts in a module of their own says {@code provides
 * dev.jformer.mixer.TokenMixer.Config with ...} and {@code opens} the package of the configurations
 * to this module, which reads their fields.
 */
@SuppressWarnings({"requires-automatic", "module"})
module dev.jformer.core {
  requires transitive com.fasterxml.jackson.databind;
  requires static com.google.auto.service;
  requires static io.soabase.recordbuilder.core;
  requires com.google.protobuf;
  requires com.sun.jna;
  requires com.twelvemonkeys.imageio.jpeg;
  requires com.twelvemonkeys.imageio.metadata;
  requires de.siegmar.fastcsv;
  requires dev.jformer.kernels;
  requires static java.compiler;
  requires java.desktop;
  requires java.management;
  requires jdk.management;
  requires org.bytedeco.mkl;
  requires org.bytedeco.openblas;
  requires org.bytedeco.pytorch;
  requires org.slf4j;

  exports dev.jformer.adapt;
  exports dev.jformer.check;
  exports dev.jformer.compress;
  exports dev.jformer.compress.experts;
  exports dev.jformer.compress.factorize;
  exports dev.jformer.compress.neurons;
  exports dev.jformer.compress.prune;
  exports dev.jformer.compress.quantize;
  exports dev.jformer.config;
  exports dev.jformer.construct;
  exports dev.jformer.data;
  exports dev.jformer.data.algorithm;
  exports dev.jformer.data.audio;
  exports dev.jformer.data.image;
  exports dev.jformer.data.decision;
  exports dev.jformer.data.incontext;
  exports dev.jformer.data.jinja;
  exports dev.jformer.data.label;
  exports dev.jformer.data.series;
  exports dev.jformer.data.series.csv;
  exports dev.jformer.data.text;
  exports dev.jformer.data.tokenizer;
  exports dev.jformer.decode;
  exports dev.jformer.ffn;
  exports dev.jformer.ffn.expert;
  exports dev.jformer.hub;
  exports dev.jformer.incontext;
  exports dev.jformer.io;
  exports dev.jformer.io.gguf;
  exports dev.jformer.javadoc to
      dev.jformer.app,
      dev.jformer.studies;
  exports dev.jformer.metrics;
  exports dev.jformer.mixer;
  exports dev.jformer.mixer.attention;
  exports dev.jformer.mixer.cache;
  exports dev.jformer.mixer.extractor;
  exports dev.jformer.mixer.linear;
  exports dev.jformer.mixer.recurrent;
  exports dev.jformer.mixer.reduction;
  exports dev.jformer.mixer.sparse;
  exports dev.jformer.model;
  exports dev.jformer.model.diffusion;
  exports dev.jformer.model.forecast;
  exports dev.jformer.model.interleaved;
  exports dev.jformer.model.inpaint;
  exports dev.jformer.model.program;
  exports dev.jformer.model.sequence;
  exports dev.jformer.model.vision;
  exports dev.jformer.nas;
  exports dev.jformer.nn;
  exports dev.jformer.nn.factorized;
  exports dev.jformer.nn.kan;
  exports dev.jformer.nn.quantized;
  exports dev.jformer.nn.shift;
  exports dev.jformer.nn.sparse;
  exports dev.jformer.nn.temporal;
  exports dev.jformer.position;
  exports dev.jformer.program;
  exports dev.jformer.rasp;
  exports dev.jformer.run;
  exports dev.jformer.search;
  exports dev.jformer.tensor;
  exports dev.jformer.train;
  exports dev.jformer.words;

  opens dev.jformer.data.algorithm to
      com.fasterxml.jackson.databind;
  opens dev.jformer.data.image to
      com.fasterxml.jackson.databind;
  opens dev.jformer.data.decision to
      com.fasterxml.jackson.databind;
  opens dev.jformer.data.incontext to
      com.fasterxml.jackson.databind;
  opens dev.jformer.data.text to
      com.fasterxml.jackson.databind;
  opens dev.jformer.nas to
      com.fasterxml.jackson.databind;
  opens dev.jformer.run to
      com.fasterxml.jackson.databind;
  opens dev.jformer.train to
      com.fasterxml.jackson.databind;

  uses dev.jformer.adapt.Adapter;
  uses dev.jformer.compress.Compression;
  uses dev.jformer.compress.neurons.NeuronRule;
  uses dev.jformer.data.algorithm.Problem;
  uses dev.jformer.data.decision.DecisionProblem;
  uses dev.jformer.data.incontext.FunctionClass;
  uses dev.jformer.ffn.ChannelMixer.Config;
  uses dev.jformer.ffn.expert.Gate.Config;
  uses dev.jformer.mixer.TokenMixer.Config;
  uses dev.jformer.mixer.cache.Cache.Config;
  uses dev.jformer.mixer.reduction.TokenReducer;
  uses dev.jformer.model.Model.Config;
  uses dev.jformer.nn.Norm.Config;
  uses dev.jformer.nn.Projection;
  uses dev.jformer.nn.quantized.RangeRule;
  uses dev.jformer.position.Position.Config;
  uses dev.jformer.position.RopeScaling;
  uses dev.jformer.run.DataConfig;
  uses dev.jformer.run.Job;
  uses dev.jformer.nas.StudentScore;
  uses dev.jformer.train.Objective;
  uses dev.jformer.train.Optimizer.Config;

  provides dev.jformer.adapt.Adapter with
      dev.jformer.adapt.Affiner,
      dev.jformer.adapt.BitFit,
      dev.jformer.adapt.Dora,
      dev.jformer.adapt.Eva,
      dev.jformer.adapt.Lora,
      dev.jformer.adapt.NoAdapter,
      dev.jformer.adapt.Pissa,
      dev.jformer.adapt.RsLora;
  provides dev.jformer.compress.Compression with
      dev.jformer.compress.Folding,
      dev.jformer.compress.experts.Emoe,
      dev.jformer.compress.experts.Extract,
      dev.jformer.compress.experts.Unite,
      dev.jformer.compress.factorize.DsFormer,
      dev.jformer.compress.factorize.LowRank,
      dev.jformer.compress.neurons.Ifm,
      dev.jformer.compress.neurons.PruneNeurons,
      dev.jformer.compress.prune.Dense,
      dev.jformer.compress.prune.Magnitude,
      dev.jformer.compress.prune.NmPruning,
      dev.jformer.compress.prune.RandomPruning,
      dev.jformer.compress.prune.TokenPruning,
      dev.jformer.compress.quantize.DenseShift,
      dev.jformer.compress.quantize.LlmFp4,
      dev.jformer.compress.quantize.LlmInt8,
      dev.jformer.compress.quantize.NoisyQuant,
      dev.jformer.compress.quantize.Ptq,
      dev.jformer.compress.quantize.StaircaseCaching,
      dev.jformer.compress.quantize.WeightInt4,
      dev.jformer.compress.quantize.WeightInt8;
  provides dev.jformer.compress.neurons.NeuronRule with
      dev.jformer.compress.neurons.MagnitudeNeurons,
      dev.jformer.compress.neurons.RandomNeurons;
  provides dev.jformer.data.algorithm.Problem with
      dev.jformer.data.algorithm.AlteredDerivation,
      dev.jformer.data.algorithm.Arithmetic,
      dev.jformer.data.algorithm.Brackets,
      dev.jformer.data.algorithm.EditDistance,
      dev.jformer.data.algorithm.Expressions,
      dev.jformer.data.algorithm.GraphConnectivity,
      dev.jformer.data.algorithm.LinearEquations,
      dev.jformer.data.algorithm.ListOps,
      dev.jformer.data.algorithm.LongestIncreasing,
      dev.jformer.data.algorithm.Multiplication,
      dev.jformer.data.algorithm.Pathfinder,
      dev.jformer.data.algorithm.ProblemMixture,
      dev.jformer.data.algorithm.Sequences,
      dev.jformer.data.algorithm.StateTracking,
      dev.jformer.data.algorithm.TokenLabels;
  provides dev.jformer.data.decision.DecisionProblem with
      dev.jformer.data.decision.LinearBandits,
      dev.jformer.data.decision.TabularMdps;
  provides dev.jformer.data.incontext.FunctionClass with
      dev.jformer.data.incontext.Conjunctions,
      dev.jformer.data.incontext.Disjunctions,
      dev.jformer.data.incontext.LinearFunctions,
      dev.jformer.data.incontext.Majorities,
      dev.jformer.data.incontext.NearestNeighbours,
      dev.jformer.data.incontext.NoisyLinearFunctions,
      dev.jformer.data.incontext.NormalForms,
      dev.jformer.data.incontext.Parities,
      dev.jformer.data.incontext.RepresentedFunctions,
      dev.jformer.data.incontext.SlidingWindowFunctions,
      dev.jformer.data.incontext.SparseLinearFunctions,
      dev.jformer.data.incontext.Thresholds,
      dev.jformer.data.incontext.TwoLayerFunctions;
  provides dev.jformer.ffn.ChannelMixer.Config with
      dev.jformer.ffn.GatedMlp.Config,
      dev.jformer.ffn.GroupRationalKan.Config,
      dev.jformer.ffn.Mlp.Config,
      dev.jformer.ffn.NestedMlp.Config,
      dev.jformer.ffn.NoChannels.Config,
      dev.jformer.ffn.PattentionMlp.Config,
      dev.jformer.ffn.PerLayer.Config,
      dev.jformer.ffn.SplineKan.Config,
      dev.jformer.ffn.TopKMlp.Config,
      dev.jformer.ffn.expert.EmergentExperts.Config,
      dev.jformer.ffn.expert.Experts.Config;
  provides dev.jformer.ffn.expert.Gate.Config with
      dev.jformer.ffn.expert.BaseGate.Config,
      dev.jformer.ffn.expert.EvoMoeGate.Config,
      dev.jformer.ffn.expert.ExpertChoiceGate.Config,
      dev.jformer.ffn.expert.HashGate.Config,
      dev.jformer.ffn.expert.NoisyTopKGate.Config,
      dev.jformer.ffn.expert.SmoeDropoutGate.Config,
      dev.jformer.ffn.expert.StableGate.Config,
      dev.jformer.ffn.expert.SwitchGate.Config,
      dev.jformer.ffn.expert.ThorGate.Config,
      dev.jformer.ffn.expert.TopKGate.Config;
  provides dev.jformer.mixer.TokenMixer.Config with
      dev.jformer.mixer.DepthwiseConvolution.Config,
      dev.jformer.mixer.IdentityMixer.Config,
      dev.jformer.mixer.PerLayerMixer.Config,
      dev.jformer.mixer.Pooling.Config,
      dev.jformer.mixer.RandomMixer.Config,
      dev.jformer.mixer.attention.ClippedSoftmax.Config,
      dev.jformer.mixer.attention.GatedAttention.Config,
      dev.jformer.mixer.attention.PrimerAttention.Config,
      dev.jformer.mixer.attention.ProbabilisticFlash.Config,
      dev.jformer.mixer.attention.SoftmaxAttention.Config,
      dev.jformer.mixer.attention.SubsampledAttention.Config,
      dev.jformer.mixer.attention.Urpe.Config,
      dev.jformer.mixer.extractor.HighExtractor.Config,
      dev.jformer.mixer.extractor.MinimalistExtractor.Config,
      dev.jformer.mixer.extractor.SuperHighExtractor.Config,
      dev.jformer.mixer.extractor.WorthwhileExtractor.Config,
      dev.jformer.mixer.linear.FlowAttention.Config,
      dev.jformer.mixer.linear.LinearAttention.Config,
      dev.jformer.mixer.linear.Linformer.Config,
      dev.jformer.mixer.linear.Performer.Config,
      dev.jformer.mixer.recurrent.Dlr.Config,
      dev.jformer.mixer.recurrent.Hyena.Config,
      dev.jformer.mixer.recurrent.Lmu.Config,
      dev.jformer.mixer.recurrent.Lstm.Config,
      dev.jformer.mixer.recurrent.Retention.Config,
      dev.jformer.mixer.recurrent.S4d.Config,
      dev.jformer.mixer.reduction.TokenReducingAttention.Config,
      dev.jformer.mixer.sparse.Combiner.Config,
      dev.jformer.mixer.sparse.LshAttention.Config,
      dev.jformer.mixer.sparse.ProbSparseAttention.Config,
      dev.jformer.mixer.sparse.SlidingWindow.Config,
      dev.jformer.model.interleaved.FarReaching.Config;
  provides dev.jformer.mixer.cache.Cache.Config with
      dev.jformer.mixer.cache.KeyValueCache.Config,
      dev.jformer.mixer.cache.OptimizedCache.Config,
      dev.jformer.mixer.cache.StaircaseCache.Config;
  provides dev.jformer.mixer.reduction.TokenReducer with
      dev.jformer.mixer.reduction.ClassAttentionReducer,
      dev.jformer.mixer.reduction.RandomTokenReducer,
      dev.jformer.mixer.reduction.TokenMerging,
      dev.jformer.mixer.reduction.ZeroTprune;
  provides dev.jformer.model.Model.Config with
      dev.jformer.model.CausalLm.Config,
      dev.jformer.model.DenoisingTranslator.Config,
      dev.jformer.model.Encoder.Config,
      dev.jformer.model.EncoderDecoder.Config,
      dev.jformer.model.DecisionModel.Config,
      dev.jformer.model.ExemplarModel.Config,
      dev.jformer.model.InContextModel.Config,
      dev.jformer.model.RecurrentLm.Config,
      dev.jformer.model.TokenClassifier.Config,
      dev.jformer.model.diffusion.DiffusionTransformer.Config,
      dev.jformer.model.diffusion.UNet.Config,
      dev.jformer.model.forecast.ITransformer.Config,
      dev.jformer.model.forecast.Informer.Config,
      dev.jformer.model.forecast.LinearForecaster.Config,
      dev.jformer.model.inpaint.Put.Config,
      dev.jformer.model.program.TransformerProgram.Config,
      dev.jformer.model.sequence.LmuFormer.Config,
      dev.jformer.model.sequence.SequenceEncoder.Config,
      dev.jformer.model.sequence.SpikingLmuFormer.Config,
      dev.jformer.model.vision.MetaFormer.Config,
      dev.jformer.model.vision.VisionTransformer.Config;
  provides dev.jformer.nn.Norm.Config with
      dev.jformer.nn.Norm.GroupNormConfig,
      dev.jformer.nn.Norm.LayerNormConfig,
      dev.jformer.nn.Norm.NoNormConfig,
      dev.jformer.nn.Norm.RmsNormConfig;
  provides dev.jformer.nn.Projection with
      dev.jformer.ffn.expert.Mohd.Config,
      dev.jformer.nn.Linear.Config,
      dev.jformer.nn.Pattention.Config,
      dev.jformer.nn.SigmaReparamLinear.Config,
      dev.jformer.nn.factorized.DenseSparseLinear.Config,
      dev.jformer.nn.factorized.LowRankLinear.Config,
      dev.jformer.nn.factorized.StraightThroughFactorizer.Config,
      dev.jformer.nn.quantized.BlockLinear.Config,
      dev.jformer.nn.quantized.Int8Linear.Config,
      dev.jformer.nn.quantized.MiniFloatLinear.Config,
      dev.jformer.nn.quantized.NoisyLinear.Config,
      dev.jformer.nn.quantized.PtqLinear.Config,
      dev.jformer.nn.quantized.WeightInt4Linear.Config,
      dev.jformer.nn.quantized.WeightInt8Linear.Config,
      dev.jformer.nn.shift.DenseShiftLinear.Config,
      dev.jformer.nn.shift.RoundedShiftLinear.Config,
      dev.jformer.nn.shift.ShiftLinear.Config,
      dev.jformer.nn.sparse.SparseLinear.Config;
  provides dev.jformer.nn.quantized.RangeRule with
      dev.jformer.nn.quantized.RangeRule.MinMax,
      dev.jformer.nn.quantized.RangeRule.Percentile,
      dev.jformer.nn.quantized.RangeRule.Search;
  provides dev.jformer.position.Position.Config with
      dev.jformer.position.Alibi.Config,
      dev.jformer.position.CombinedPosition.Config,
      dev.jformer.position.LearnedPosition.Config,
      dev.jformer.position.NoPosition.Config,
      dev.jformer.position.PerLayerPosition.Config,
      dev.jformer.position.Rope.Config,
      dev.jformer.position.RopeAlibi.Config,
      dev.jformer.position.ShiftedPosition.Config,
      dev.jformer.position.Sinusoidal.Config,
      dev.jformer.position.T5Bias.Config;
  provides dev.jformer.position.RopeScaling with
      dev.jformer.position.DynamicRopeScaling,
      dev.jformer.position.LinearRopeScaling,
      dev.jformer.position.Llama3RopeScaling,
      dev.jformer.position.LongRopeScaling,
      dev.jformer.position.UnscaledRope,
      dev.jformer.position.YarnRopeScaling;
  provides dev.jformer.run.DataConfig with
      dev.jformer.run.AlgorithmData,
      dev.jformer.run.AudioData,
      dev.jformer.run.ImageData,
      dev.jformer.run.DecisionData,
      dev.jformer.run.ExemplarData,
      dev.jformer.run.InContextData,
      dev.jformer.run.LabelledTextData,
      dev.jformer.run.LabelledWordData,
      dev.jformer.run.MaskedImageData,
      dev.jformer.run.PixelData,
      dev.jformer.run.SampleData,
      dev.jformer.run.SeriesData,
      dev.jformer.run.TaggedTextData,
      dev.jformer.run.TextData,
      dev.jformer.run.TextPairData,
      dev.jformer.run.TranslationData;
  provides dev.jformer.run.Job with
      dev.jformer.run.AlgorithmJob,
      dev.jformer.run.AudioClassificationJob,
      dev.jformer.run.DenoisingTranslationJob,
      dev.jformer.run.DiffusionJob,
      dev.jformer.run.ForecastingJob,
      dev.jformer.run.ImageClassificationJob,
      dev.jformer.run.DecisionJob,
      dev.jformer.run.ExemplarJob,
      dev.jformer.run.InContextJob,
      dev.jformer.run.InpaintingJob,
      dev.jformer.run.InstructionTuningJob,
      dev.jformer.run.LanguageModellingJob,
      dev.jformer.run.MaskedLanguageModellingJob,
      dev.jformer.run.PixelClassificationJob,
      dev.jformer.run.PixelSequenceJob,
      dev.jformer.run.ProgramJob,
      dev.jformer.run.RecurrentModellingJob,
      dev.jformer.run.SentenceEmbeddingJob,
      dev.jformer.run.SequenceClassificationJob,
      dev.jformer.run.TextClassificationJob,
      dev.jformer.run.TokenClassificationJob,
      dev.jformer.run.TranslationJob,
      dev.jformer.run.WordProgramJob;
  provides dev.jformer.nas.StudentScore with
      dev.jformer.nas.Diswot,
      dev.jformer.nas.FlopCount,
      dev.jformer.nas.ParameterCount,
      dev.jformer.nas.Snip,
      dev.jformer.nas.Synflow;
  provides dev.jformer.train.Objective with
      dev.jformer.train.CodeLearning,
      dev.jformer.train.Consistency,
      dev.jformer.train.Denoising,
      dev.jformer.train.Distillation,
      dev.jformer.train.Objective.Plain,
      dev.jformer.train.RandomTeacher;
  provides dev.jformer.train.Optimizer.Config with
      dev.jformer.train.AdamW.Config,
      dev.jformer.train.LearngeneOptimizer.Config,
      dev.jformer.train.Sgd.Config;
}
