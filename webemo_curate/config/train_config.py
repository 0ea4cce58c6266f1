"""Settings of the network and its training."""

from typing import Any, Literal, Self

from pydantic import ModelWrapValidatorHandler, model_validator

from webemo_curate.config.settings import AbsolutePath, Flag, StageConfig, setting

NETWORK, INPUT, TRAINING, RUN = "Network", "Input", "Training", "Where and how it runs"
"""Panels of the help."""

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "paper-fast": {"precision": "bf16", "deterministic": False},
    "zhang": {
        "network": "zhang",
        "grams": 0,
        "image_size": 224,
        "epochs": 60,
        "batch_size": 16,
        "accumulate": 1,
        "optimizer": "sgd",
        "lr": 1e-4,
        "weight_decay": 1e-4,
        "schedule": "halving",
        "dropout": 0.8,
        "bn_epsilon": 1e-5,
        "bn_momentum": 0.1,
        "augment": "crop-jitter",
    },
    "beyond": {
        "optimizer": "adamw",
        "lr": 5e-4,
        "lr_scaling": "none",
        "weight_decay": 0.05,
        "epsilon": 1e-8,
        "schedule": "cosine",
        "ema_decay": 0.999,
        "label_smoothing": 0.1,
        "center_loss": 0.01,
        "normalise_gram": True,
        "augment_crop": False,
        "precision": "bf16",
        "deterministic": False,
    },
}
"""The values that each preset sets; `TrainConfig`'s defaults are the paper's. Given fields win."""


class TrainConfig(StageConfig):
    """The network, its training, and choices that the paper leaves open (see docs/paper.md)."""

    preset: Literal["paper", "paper-fast", "zhang", "beyond"] = setting(
        "paper", flag=Flag(panel=NETWORK), description="Named set of training options."
    )
    network: Literal["gram", "zhang"] = setting("gram", description="zhang: their ResNet-50.")
    backbone: str = setting(
        "tf_efficientnetv2_b2",
        pattern=r"^(tf_efficientnetv2_(b[0-3]|s)|test_efficientnet)$",
        description="timm's name of the backbone; test_efficientnet is small, to try things out.",
    )
    grams: int = setting(
        3, ge=0, le=16, flag=Flag(panel=NETWORK), description="Gram modules; 0 is the baseline."
    )
    gram_activation: Literal["leaky_relu", "relu", "silu", "identity"] = setting(
        "leaky_relu", description="Activation in the Gram modules."
    )
    tap: str = setting(
        "block3b",
        pattern=r"^block[1-6][a-z]$",
        flag=Flag(panel=NETWORK),
        description="Block, by Keras's name, whose projection the Gram modules get.",
    )
    gram_fusion: Literal["gate", "sum", "average", "concatenate"] = setting(
        "gate", description="How a Gram module joins its two branches; gate multiplies them."
    )
    head_fusion: Literal["sum", "concatenate"] = setting(
        "sum", description="How the Gram modules join the main branch."
    )
    normalise_gram: bool = setting(False, description="Divide Gram matrices by C * H * W.")
    main_order: Literal["dropout-activation-dense", "dropout-dense-activation"] = setting(
        "dropout-activation-dense",
        description="Layers between the pooled features and the sum.",
    )
    dropout: float = setting(
        0.5, ge=0, lt=1, description="Dropout before the main branch's dense layer."
    )
    drop_path: float = setting(0.2, ge=0, lt=1, description="Rate of stochastic depth.")
    drop_path_rule: Literal["keras", "timm"] = setting(
        "keras",
        description="Depth that the rate is reached at: of the unscaled network, or the last.",
    )
    negative_slope: float = setting(
        0.2, ge=0, description="Negative slope of every added LeakyReLU."
    )
    bn_epsilon: float = setting(1e-3, gt=0, description="Epsilon of added batch norms.")
    bn_momentum: float = setting(
        0.01, gt=0, le=1, description="Momentum of added batch norms, as torch defines it."
    )
    initialisation: Literal["glorot", "torch"] = setting(
        "glorot",
        description="Added layers: Keras's Glorot uniform and zero bias, or torch's own.",
    )
    frozen: Literal["none", "backbone"] = setting("none", description="Part that is not trained.")
    image_size: int = setting(
        256,
        ge=32,
        le=1024,
        flag=Flag(panel=INPUT),
        description="Side of the square, in pixels.",
    )
    resize: Literal["squash", "crop"] = setting(
        "squash", description="How a picture becomes a square: distorted, or its center alone."
    )
    interpolation: Literal["bilinear", "bicubic"] = setting(
        "bilinear", description="Of resizing, antialiased."
    )
    normalisation: Literal["weights", "imagenet", "half"] = setting(
        "weights",
        description="Mean and deviation: what the backbone's weights expect, or these.",
    )
    augment: Literal["randaugment", "crop-jitter", "flip", "none"] = setting(
        "randaugment", flag=Flag(panel=INPUT), description="Augmentation of training images."
    )
    augment_ops: int = setting(
        3, ge=0, le=18, flag=Flag(panel=INPUT), description="RandAugment's N."
    )
    augment_magnitude: float = setting(
        7, ge=0, flag=Flag(panel=INPUT), description="RandAugment's M."
    )
    augment_scale: float = setting(30, gt=0, description="Magnitude of full strength.")
    augment_crop: bool = setting(
        True,
        description="RandAugment first cuts up to M/224 of the side from each edge, as imgaug's.",
    )
    augment_fill: int = setting(
        128, ge=0, le=255, description="Level of pixels from outside the picture."
    )
    epochs: int = setting(
        25, ge=1, flag=Flag(panel=TRAINING), description="Passes over the training images."
    )
    batch_size: int = setting(
        64,
        ge=2,
        flag=Flag(panel=TRAINING),
        description="Images a batch: what batch norms see at once.",
    )
    accumulate: int = setting(
        2, ge=1, description="Batches an update: shared among the devices, the rest in turn."
    )
    optimizer: Literal["adagrad", "sgd", "adamw"] = setting("adagrad", description="Optimizer.")
    lr: float = setting(
        0.002,
        gt=0,
        flag=Flag(panel=TRAINING),
        description="Learning rate for one batch an update; see lr_scaling.",
    )
    lr_scaling: Literal["batches", "none"] = setting(
        "batches",
        description="batches: multiply lr by the batches an update, as the paper by its GPUs.",
    )
    schedule: Literal["constant", "halving", "cosine"] = setting(
        "constant", description="How the learning rate changes over epochs."
    )
    halving_epochs: int = setting(10, ge=1, description="Epochs after which 'halving' halves lr.")
    initial_accumulator: float = setting(
        0.1, ge=0, description="Adagrad's initial sum, as in Keras."
    )
    epsilon: float = setting(1e-7, gt=0, description="Epsilon of Adagrad (as in Keras) and AdamW.")
    momentum: float = setting(0.9, ge=0, lt=1, description="Momentum of sgd.")
    weight_decay: float = setting(0.0, ge=0, description="Weight decay of sgd and adamw.")
    label_smoothing: float = setting(
        0.0, ge=0, lt=1, description="Share of a label given to all classes."
    )
    center_loss: float = setting(0.0, ge=0, description="Weight of the contrastive-center loss.")
    ema_decay: float = setting(0.0, ge=0, lt=1, description="Decay of averaged weights; 0: none.")
    precision: Literal["fp32", "bf16"] = setting(
        "fp32", description="bf16: autocast, on a GPU alone."
    )
    seeds: int = setting(
        1,
        operational=True,
        ge=1,
        le=10_000,
        flag=Flag(panel=TRAINING),
        description="Number of runs, with seeds seed, seed + 1, ...",
    )
    seed: int = setting(
        0, ge=0, le=2**32, flag=Flag(panel=TRAINING), description="The first run's seed."
    )
    weights: AbsolutePath | None = setting(
        None,
        flag=Flag(panel=NETWORK),
        description="Backbone weights: a safetensors file, or a .pth of tensors.",
    )
    weights_tag: str = setting(
        "in1k",
        pattern=r"^[a-z0-9_]+$",
        flag=Flag(panel=NETWORK),
        description="Which of timm's weights of the backbone: in1k is the paper's ImageNet-1k.",
    )
    from_scratch: bool = setting(
        False,
        flag=Flag("--from-scratch/--pretrained", panel=NETWORK),
        description="Start from random weights, not ImageNet's.",
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto",
        operational=True,
        flag=Flag(panel=RUN),
        description="Device to compute on; auto takes CUDA if there is a device.",
    )
    resume: bool = setting(
        True,
        operational=True,
        flag=Flag("--resume/--no-resume", panel=RUN),
        description="Resume an unfinished run of equal configuration.",
    )
    deterministic: bool = setting(
        True, operational=True, description="Bitwise equal runs on a GPU, slower."
    )
    graphs: bool = setting(
        True,
        operational=True,
        flag=Flag("--graphs/--no-graphs", panel=RUN),
        description="On a GPU, run updates as CUDA graphs; turn this off to find faults.",
    )
    compile: bool = setting(
        False,
        operational=True,
        flag=Flag("--compile/--no-compile", panel=RUN),
        description="Compile the network first: takes minutes, then trains faster on a GPU.",
    )
    feed: Literal["auto", "resident", "mapped", "files"] = setting(
        "auto",
        operational=True,
        description="Pixels in device memory, from packed files, or decoded each time.",
    )
    tensorboard: bool = setting(
        False,
        operational=True,
        flag=Flag("--tensorboard", panel=RUN),
        description="Write the log as TensorBoard events too.",
    )
    checkpoint_minutes: float = setting(
        10.0,
        operational=True,
        ge=0,
        description="Time after which an unfinished epoch's state is stored.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _apply_preset(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Use the preset's values as defaults; fields not given still count as not given."""
        if not isinstance(given, dict):
            return validate(given)
        config = validate(PRESETS.get(str(given.get("preset")), {}) | given)
        config.__pydantic_fields_set__.intersection_update(given)
        return config
