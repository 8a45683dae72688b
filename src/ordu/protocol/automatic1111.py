"""Names of the API /sdapi/v1 beside those of a horde: one table for both directions.

A worker draws with a program that has this API (`ordu.worker.backends.automatic1111`), and a server
answers programs that speak it (`ordu.server.doors.automatic1111`).
"""

from collections.abc import Mapping

from ordu.protocol.params import PostProcessor, Sampler

SAMPLERS: Mapping[Sampler, str] = {  # the horde's names; dpmsolver is not there
    "k_lms": "LMS",
    "k_heun": "Heun",
    "k_euler": "Euler",
    "k_euler_a": "Euler a",
    "k_dpm_2": "DPM2",
    "k_dpm_2_a": "DPM2 a",
    "k_dpm_fast": "DPM fast",
    "k_dpm_adaptive": "DPM adaptive",
    "k_dpmpp_2s_a": "DPM++ 2S a",
    "k_dpmpp_2m": "DPM++ 2M",
    "k_dpmpp_sde": "DPM++ SDE",
    "lcm": "LCM",
    "DDIM": "DDIM",
    "PLMS": "PLMS",
}
KARRAS = "Karras"
UNIFORM = "Uniform"
AUTOMATIC = "Automatic"  # the usual one of a sampler, which for some is that of Karras

FACE_RESTORERS: Mapping[PostProcessor, str] = {"GFPGAN": "GFPGAN", "CodeFormers": "CodeFormer"}
LATENT = "Latent"  # the upscaler between the two passes of a hires fix, which every version has
