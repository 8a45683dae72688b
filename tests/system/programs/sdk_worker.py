"""A worker made of the public package's messages: pops one job, uploads, submits, says the reward.

The address comes from AI_HORDE_URL, the key from ORDU_API_KEY; the first argument is the file that
the picture is written to before it is uploaded. Its standard output is one line of JSON.
"""

import io
import json
import os
import sys
import time
from pathlib import Path

import requests
from horde_sdk.ai_horde_api import ai_horde_clients as clients
from horde_sdk.ai_horde_api import apimodels
from horde_sdk.ai_horde_api.consts import GENERATION_STATE
from PIL import Image

KEY = os.environ["ORDU_API_KEY"]
POPS_MAX = 300
POP = apimodels.ImageGenerateJobPopRequest(
    apikey=KEY,
    name="sdk loft",
    bridge_agent="AI Horde Worker reGen:9.0.1-citests:https://example.org",
    models=["stable_diffusion"],
    blacklist=[],
    max_pixels=512 * 512,
    threads=1,
    amount=1,
)


def draw(payload: apimodels.ImageGenerateJobPopPayload) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (payload.width, payload.height), "crimson").save(buffer, "WEBP")
    return buffer.getvalue()


def main(file: Path) -> None:
    with clients.AIHordeAPIClientSession() as session:
        for _ in range(POPS_MAX):
            job = session.submit_request(POP, apimodels.ImageGenerateJobPopResponse)
            assert isinstance(job, apimodels.ImageGenerateJobPopResponse), job
            if job.ids_present:
                break
            print("nothing to do", file=sys.stderr, flush=True)
            time.sleep(0.1)
        assert [job.id_] == job.ids
        assert [job.r2_upload] == job.r2_uploads
        picture = draw(job.payload)
        file.write_bytes(picture)
        upload = requests.put(job.r2_upload, data=picture, timeout=10)
        submit = apimodels.ImageGenerationJobSubmitRequest(
            apikey=KEY,
            id=job.id_,
            generation="R2",
            state=GENERATION_STATE.ok,
            seed=int(job.payload.seed),
        )
        paid = session.submit_request(submit, apimodels.JobSubmitResponse)
        again = session.submit_request(submit, apimodels.JobSubmitResponse)
    told = {
        "prompt": job.payload.prompt,
        "steps": job.payload.ddim_steps,
        "model": job.model,
        "upload": upload.status_code,
        "reward": paid.reward,
        "again": again.message,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
